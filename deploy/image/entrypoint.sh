#!/bin/sh
# Start what was asked for as this very process, so that its signals reach it: collector, dashboard, or any command.
set -eu

case "${1:-}" in
  collector)
    shift
    exec python -m collector "$@"
    ;;
  dashboard)
    shift
    exec python -m pages "$@"
    ;;
  "")
    echo "Say what to run: collector or dashboard." >&2
    exit 64
    ;;
  *)
    exec "$@"
    ;;
esac
