#!/bin/sh
# The browser tests need a Chromium: use the one that is there, or install one where we may, with
# the shell that makes them cheaper where the system has it.
[ -n "${MONITOR_TEST_BROWSER:-}" ] && exit 0
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests ..."
  install="env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq"
  apt-get update -qq && { $install chromium chromium-headless-shell >/dev/null 2>&1 || $install chromium >/dev/null; } && exit 0
fi
echo "The browser tests need Chromium: install it (Debian, Ubuntu: apt-get install chromium), or name one: MONITOR_TEST_BROWSER=/path/to/chrome make test"
exit 1
