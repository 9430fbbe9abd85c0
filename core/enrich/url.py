"""URLs as browsers report them: split without raising, and their hosts made comparable."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

LONGEST_URL = 4_096
LONGEST_HOST = 253

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.IGNORECASE | re.DOTALL,
)
# No "%": browsers decode an escaped host before they send it, so one that is left hides a name.
_HOST = re.compile(r"[\w~-]+(?:\.[\w~-]+)*\.?")
_PORT = re.compile(r":\d{0,5}")
_SCHEMES_WITH_BACKSLASHES = ("http:", "https:")
# Letters of other alphabets that pass for Latin ones: the list that Chrome uses for Cyrillic.
_CYRILLIC_LOOKALIKES = frozenset("асԁеһіјӏорԗԛѕԝхуъьҽпгѵѡ")


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in parts. The host is lower-case, without credentials, port and trailing dot."""

    scheme: str
    host: str
    port: str
    path: str
    query: str
    fragment: str


def split_url(text: str) -> Url | None:
    """The parts of an absolute URL, or None when it has no scheme or no usable host."""
    text = text[:LONGEST_URL].strip()
    if text[:6].lower().startswith(_SCHEMES_WITH_BACKSLASHES):
        text = text.replace("\\", "/")
    match = _URL.fullmatch(text)
    if match is None:
        return None
    found = split_host(match["authority"].rpartition("@")[2])
    if found is None:
        return None
    host, port = found
    query, fragment = match["query"] or "", match["fragment"] or ""
    return Url(match["scheme"].lower(), host, port, match["path"], query, fragment)


def split_host(text: str) -> tuple[str, str] | None:
    """Host and port (":8080" or "") of "host:port"; None when it is no host.

    IPv6 hosts keep their brackets, in the shortest spelling.
    """
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        host = _ipv6_host(address) if bracket else ""
    else:
        host, colon, port = text.partition(":")
        port = colon + port
        host = host.rstrip(".").lower() if _HOST.fullmatch(host) else ""
    if not host or len(host) > LONGEST_HOST or (port and not _PORT.fullmatch(port)):
        return None
    return host, port if len(port) > 1 else ""


def is_ip_host(host: str) -> bool:
    """Whether the host is an address (such a host has no registrable domain)."""
    if host.startswith("["):
        return True
    return host.rpartition(".")[2].isdecimal() and _is_address(host)


@lru_cache(maxsize=4_096)
def readable_host(host: str) -> str:
    """The host as people read it: without "www.", its punycode decoded where that cannot mislead.

    A label that mixes alphabets, or that is made of Cyrillic letters which all pass for Latin
    ones, stays in punycode, as in browsers' address bars.
    """
    host = host.removeprefix("www.") if host.count(".") > 1 else host
    return ".".join(_readable_label(label) for label in host.split("."))


def _ipv6_host(text: str) -> str:
    return f"[{ip_address(text)}]" if ":" in text and _is_address(text) else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _readable_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label.encode("ascii").decode("idna")
    except UnicodeError:
        return label
    return label if _may_mislead(decoded) else decoded


def _may_mislead(label: str) -> bool:
    letters = [char for char in label if char.isalpha()]
    if any(not (char.isalnum() or char == "-" or unicodedata.combining(char)) for char in label):
        return True
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in letters}
    if not scripts <= {"LATIN"} and scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"}:
        return len(scripts) > 1 or _CYRILLIC_LOOKALIKES.issuperset(letters)
    return False
