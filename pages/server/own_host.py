"""Which hosts and origins are the dashboard's own.

To a browser, a page on another port of this machine is the same site, and a foreign name that resolves
to this machine (DNS rebinding) is a host like any other. So a Host must be a known one, and an origin
that host.
"""

from __future__ import annotations

import re

from core.enrich.address import parse_address
from core.enrich.this_machine import names_this_machine
from core.settings import settings

_ORIGIN = re.compile(r"(https?)://(.+)")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")
_PORTS = {"http": "80", "https": "443"}


def is_own_host(host: str) -> bool:
    """Whether it is that of MONITOR_DASHBOARD_URL, a name of this machine or an address.

    No name server can lead an address elsewhere.
    """
    if not (found := _HOST.fullmatch(host.lower())):
        return False
    own = _own_origin()
    is_given = own is not None and own[1] == found[1]
    return is_given or names_this_machine(host) or parse_address(host) is not None


def is_own_origin(origin: str, host: str) -> bool:
    """Whether it is that of MONITOR_DASHBOARD_URL, or this host.

    Behind a TLS proxy the scheme differs, so it is not compared, but where the address is known to be https.
    """
    asking, own = _parsed(origin), _own_origin()
    if asking is None:
        return False
    if own is not None and asking[1] == own[1] and own[0] == "https" != asking[0]:
        return False
    return asking in (own, _parsed(f"{asking[0]}://{host}"))


def _own_origin() -> tuple[str, str, str] | None:
    scheme, separator, rest = settings().dashboard_url.partition("://")
    return _parsed(f"{scheme}{separator}{rest.partition('/')[0]}")


def _parsed(origin: str) -> tuple[str, str, str] | None:
    """The scheme, the name and the port, or None when it is no origin of a page."""
    if not (found := _ORIGIN.fullmatch(origin.lower())):
        return None
    host = _HOST.fullmatch(found[2])
    return (found[1], host[1], host[2] or _PORTS[found[1]]) if host else None
