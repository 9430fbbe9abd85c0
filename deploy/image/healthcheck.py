"""healthcheck.py PROCESS ...: exit status 0 when one of these processes answers, else 1 and why.

The image's own health check names both, because a container runs one of them. It asks with the standard
library alone: it runs every half minute, and loading the settings costs more than the question.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

ANSWERS_WITHIN = 5
"""Seconds; less than the health check's own timeout, so that the reason is said."""


def main(names: list[str]) -> int:
    """The exit status."""
    addresses = {"collector": collector_address, "dashboard": dashboard_address}
    faults = [fault_of(addresses[name]()) for name in names]
    if "" in faults:
        return 0
    sys.stderr.write("\n".join(faults) + "\n")
    return 1


def collector_address() -> str:
    """Where the collector says that it is alive."""
    return f"http://127.0.0.1:{os.environ['MONITOR_COLLECTOR_PORT']}/healthz"


def dashboard_address() -> str:
    """Where the dashboard says that it is alive: below the path that it is served below."""
    path = urlsplit(os.environ.get("MONITOR_DASHBOARD_URL", "")).path.rstrip("/")
    return f"http://127.0.0.1:{os.environ['MONITOR_DASHBOARD_PORT']}{path}/_stcore/health"


def fault_of(address: str) -> str:
    """Why the process there is not well, or ""."""
    try:
        with urlopen(address, timeout=ANSWERS_WITHIN):
            return ""
    except HTTPError as fault:
        return f"{address} answers {fault.code}."
    except (OSError, HTTPException) as fault:
        return f"{address} does not answer: {fault}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
