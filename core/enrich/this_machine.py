"""Whether a request was made on this machine, to a name of its own, and by no proxy.

A proxy on this machine is a neighbour like a browser: it is known by what it adds, or by the Host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.enrich.address import parse_address

_FORWARDED = re.compile(
    r"x-forwarded(-.*)?|x-original-.*|forwarded|via|x-real-ip|x-client-ip|x-cluster-client-ip"
    r"|x-envoy-.*|true-client-ip|fastly-client-ip|cf-.*|cdn-loop|x-amzn-trace-id"
)
"""The headers that proxies and content delivery networks add."""


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address: "127.0.0.1", "[::1]:8501"."""
    parsed = parse_address(address)
    return parsed is not None and parsed.is_loopback


def names_this_machine(host: str) -> bool:
    """Whether the Host is a name of this machine: "localhost:8501", "127.0.0.1"."""
    return host.partition(":")[0].lower() == "localhost" or is_loopback(host)


def is_direct(header_names: Iterable[str]) -> bool:
    """Whether no proxy has passed on the request with these headers."""
    return not any(_FORWARDED.fullmatch(name.lower()) for name in header_names)
