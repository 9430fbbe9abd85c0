#!/bin/sh
# The tests need three browser engines and nginx: use those that are there, and install the others where we may.
# Chromium comes with the shell that makes it cheaper, where the system has it. WebKit is driven on a
# screen in memory (Xvfb).
has() {
  for name in "$@"; do
    command -v "$name" >/dev/null && return
  done
  return 1
}

missing=""
[ -n "${MONITOR_TEST_BROWSER:-}" ] || has chromium chromium-browser google-chrome || missing="chromium"
has firefox-esr firefox || missing="$missing firefox-esr"
has WebKitWebDriver || missing="$missing webkit2gtk-driver"
has Xvfb || missing="$missing xvfb"
has nginx /usr/sbin/nginx || missing="$missing nginx-light"
[ -z "$missing" ] && exit 0

root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
if has apt-get && $root true 2>/dev/null; then
  echo "Installing for the browser tests: $missing ..."
  $root apt-get update -qq
  case "$missing" in
    chromium*) [ -z "$(apt-cache search --names-only '^chromium-headless-shell$')" ] || missing="$missing chromium-headless-shell" ;;
  esac
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "The browser tests need Chromium, Firefox, WebKit and nginx: install what is missing (Debian: apt-get install $missing)."
echo "A Chromium elsewhere can be named: MONITOR_TEST_BROWSER=/path/to/chrome make test"
exit 1
