"""Own visits: those of a site's own people, which are not recorded. They are known by their network, or by a
browser in which somebody has opened a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_network

from core.client import Network
from core.enrich.address import Address, parse_address
from core.enrich.this_machine import names_this_machine

LINK_KEY, OWN, COUNT = "visitor-monitor", "own", "count"
"""https://shop.example/?visitor-monitor=own, and =count to undo it: embed/visitor-monitor.js reads them."""

LARGEST_NETWORKS = {4: 8, 6: 16}
"""Bits of the largest network by the version of its addresses: a larger one is a slip, and hides visitors."""

_CACHED_ADDRESSES = 2_048


def read_network(text: str) -> Network | None:
    """The network of "203.0.113.7", "203.0.113.0/24" or "2001:db8::/56"; None when it is none, or too large."""
    address, slash, bits = text.strip().partition("/")
    found = parse_address(address)
    if found is None or (slash and not bits.isdecimal()):
        return None
    try:
        network = ip_network(f"{found}{slash}{bits}", strict=False)
    except ValueError:
        return None
    return network if network.prefixlen >= LARGEST_NETWORKS[network.version] else None


def network_text(network: Network) -> str:
    """As it is stored and shown: a single address without the bits."""
    return str(network.network_address if network.num_addresses == 1 else network)


def own_finder(networks: Iterable[str]) -> Callable[[Address | None], bool]:
    """Whether an address is in one of these; what it has found is kept in memory only."""
    compiled = [network for text in networks if (network := read_network(text)) is not None]
    if not compiled:
        return lambda address: False

    @lru_cache(maxsize=_CACHED_ADDRESSES)
    def find(address: Address | None) -> bool:
        return address is not None and any(address in network for network in compiled)

    return find


def website_address(domains: Iterable[str], hosts: Iterable[str]) -> str:
    """Where the site's website is: by its first domain, or the first of the hosts that page views came from;
    "" when neither is known. This machine is none: its ports are not known."""
    for domain in domains:
        return domain if "://" in domain else f"https://{domain}"
    return next((f"https://{host}" for host in hosts if not names_this_machine(host)), "")


def own_link(address: str, word: str = OWN) -> str:
    """The link that has a browser's visits not recorded (OWN), or recorded again (COUNT)."""
    return f"{address}/?{LINK_KEY}={word}"
