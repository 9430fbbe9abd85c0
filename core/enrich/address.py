"""Addresses as peers, proxies and headers spell them."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# "[0000:...:255.255.255.255%zone]:65535" with room for a long zone name.
LONGEST_ADDRESS = 100
HIGHEST_PORT = 65_535

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 7915
_LAST_32_BITS = 0xFFFF_FFFF


def parse_address(text: str) -> Address | None:
    """The address, or None when there is none.

    Brackets, a port, a zone ("fe80::1%eth0") and quotes (RFC 7239) are taken off, and an
    IPv4 address written as IPv6 ("::ffff:192.0.2.1") is that IPv4 address.
    """
    if len(text) > LONGEST_ADDRESS:
        return None
    host = _without_port(text.strip().strip('"'))
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def embedded_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address of 6to4, Teredo or NAT64 carries, None in any other."""
    if isinstance(address, IPv4Address):
        return None
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        _, client = address.teredo
        return client
    if address in _NAT64 or address in _TRANSLATED:
        return IPv4Address(int(address) & _LAST_32_BITS)
    return _local_nat64(int(address)) if address in _LOCAL_NAT64 else None


def _local_nat64(bits: int) -> IPv4Address:
    """Networks cut their /96 out of the /48; with the /48 itself the IPv4 address is in two halves."""
    if last := bits & _LAST_32_BITS:
        return IPv4Address(last)
    return IPv4Address((bits >> 64 & 0xFFFF) << 16 | (bits >> 40 & 0xFFFF))


def _without_port(text: str) -> str:
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        usable = bracket and ":" in host and (not port or _is_port(port.removeprefix(":")))
        return host if usable and (not port or port.startswith(":")) else ""
    host, colon, port = text.rpartition(":")
    if colon and ":" not in host:
        return host if _is_port(port) else ""
    return text


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:6]) <= HIGHEST_PORT
