#!/bin/sh
# The tests of deploy/ build and run the real image, read the compose file, and play Prometheus' rules: what they need and
# is not here is installed where we may. A line of `needed` is a command and the Debian package that has it.
needed="
buildah buildah
bwrap bubblewrap
debootstrap debootstrap
docker-compose docker-compose
nginx nginx-light
openssl openssl
pgbouncer pgbouncer
promtool prometheus
systemd-analyze systemd
"

has() {
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]
}

missing=$(echo "$needed" | while read -r command package; do
  [ -z "$command" ] || has "$command" || printf '%s ' "$package"
done)
[ -z "$missing" ] && exit 0

root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null && $root true 2>/dev/null; then
  echo "Installing for the tests of deploy/: $missing ..."
  $root apt-get update -qq
  # Word splitting is meant: each word is a package.
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "The tests of deploy/ need more than is here: install it (Debian: apt-get install $missing)."
exit 1
