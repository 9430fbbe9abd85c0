"""Addresses as peers, proxies and headers spell them."""

from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

# "[0000:...:255.255.255.255%zone]:65535" with room for a long zone name.
LONGEST_ADDRESS = 100
HIGHEST_PORT = 65_535


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
