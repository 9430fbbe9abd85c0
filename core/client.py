"""The client of a request: its address, as the owner's own proxies give it and nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from msgspec import Struct

from core.enrich.address import Address, parse_address

MAX_HOPS = 64
"""Entries of X-Forwarded-For that are read, from the right."""

UNTRUSTED_PROXY = "untrusted_proxy"
"""The name of the warning that a proxy seems to stand in front and is not trusted."""

_CACHED = 8_192
_LONGEST_HEADER = MAX_HOPS * len("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535, ")
_VISITOR_BITS, _CUSTOMER_BITS = 64, 48
"""Of an IPv6 address: the network that one visitor may use at will, and the largest that providers give to
one customer (RFC 6177)."""

_log = logging.getLogger("collector.client")

Network = IPv4Network | IPv6Network


class Client(Struct, frozen=True, gc=False):
    """The visitor's end of a request.

    text: the address as text, empty when it is not known. block: the addresses that one visitor may
    use at will (an IPv6 network of 64 bits). has_trusted_peer: a trusted proxy sent the request.
    wide_block: those that one customer may have (an IPv6 network of 48 bits); empty of IPv4.
    """

    address: Address | None
    text: str
    block: str
    has_trusted_peer: bool
    wide_block: str = ""


UNKNOWN_CLIENT = Client(None, "", "", has_trusted_peer=False)


class Clients:
    """Finds the client of a request. Results are cached in memory only."""

    def __init__(self, trusted: Sequence[Network], warn: Callable[[str], None]) -> None:
        self._trusted = tuple(trusted)
        self._warn = warn
        self._is_warned = False
        self._remembered = lru_cache(maxsize=_CACHED)(self._find)

    def find(self, peer: str, forwarded: bytes | None) -> Client:
        """The client of a request from this peer with this X-Forwarded-For."""
        if forwarded is not None and len(forwarded) > _LONGEST_HEADER:
            forwarded = forwarded[-_LONGEST_HEADER:].partition(b",")[2]
        return self._remembered(peer, forwarded)

    def _find(self, peer: str, forwarded: bytes | None) -> Client:
        address = parse_address(peer)
        is_trusted = self._is_trusted(address)
        if forwarded is not None:
            if is_trusted:
                address = self._behind_proxies(address, forwarded)
            elif address is not None and address.is_private:
                self._warn_of_proxy()
        text = str(address or "")
        if not isinstance(address, IPv6Address):
            return Client(address, text, text, is_trusted)
        block, wide_block = _network(address, _VISITOR_BITS), _network(address, _CUSTOMER_BITS)
        return Client(address, text, block, is_trusted, wide_block)

    def _behind_proxies(self, address: Address | None, forwarded: bytes) -> Address | None:
        """The right-most entry that is not one of the trusted proxies."""
        for entry in reversed(forwarded.decode("latin-1").rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
            hop = parse_address(entry)
            if hop is None:
                break
            address = hop
            if not self._is_trusted(hop):
                break
        return address

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def _warn_of_proxy(self) -> None:
        self._warn(UNTRUSTED_PROXY)
        if self._is_warned:
            return
        self._is_warned = True
        _log.warning(
            "untrusted_proxy: a request from a private address carries X-Forwarded-For, "
            "which is ignored cure='set MONITOR_TRUSTED_PROXIES to the address of your proxy'"
        )


def _network(address: IPv6Address, bits: int) -> str:
    return str(IPv6Network((int(address), bits), strict=False))
