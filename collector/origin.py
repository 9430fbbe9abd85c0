"""Origins: which pages may report to a site, and the host that a page is on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from core.enrich.url import LONGEST_HOST, split_url

_LONGEST_ORIGIN = LONGEST_HOST + len("https://:65535")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Origin(NamedTuple):
    """An Origin header, written as in `Site.domains`, and its host. Both are empty when it is opaque."""

    text: str
    host: str


NO_ORIGIN = Origin("", "")


def read_origin(header: bytes) -> Origin:
    """The origin; NO_ORIGIN when the header is empty, "null" or no origin at all."""
    return _read_origin(header) if len(header) <= _LONGEST_ORIGIN else NO_ORIGIN


@lru_cache(maxsize=4_096)
def _read_origin(header: bytes) -> Origin:
    url = split_url(header.decode("latin-1"))
    if url is None or url.path or url.query or url.fragment:
        return NO_ORIGIN
    port = "" if url.port == _DEFAULT_PORTS.get(url.scheme) else url.port
    return Origin(f"{url.scheme}://{url.host}{port}", url.host)


class Allowed(NamedTuple):
    """What a site's list of domains allows."""

    origins: frozenset[str]
    hosts: frozenset[str]
    is_any: bool
    accepts_null: bool


def compile_domains(domains: Sequence[str], accepts_null: bool) -> Allowed:
    """The domains of a site, compiled for `is_allowed`. An empty list allows any origin."""
    origins = frozenset(domain for domain in domains if "://" in domain)
    return Allowed(origins, frozenset(domains) - origins, not domains, accepts_null)


def is_allowed(allowed: Allowed, origin: Origin) -> bool:
    """Whether a page of this origin may report: its origin, its host or a parent host is listed."""
    if allowed.is_any or origin.text in allowed.origins:
        return True
    if not origin.text:
        return allowed.accepts_null
    host = origin.host
    while host:
        if host in allowed.hosts:
            return True
        host = host.partition(".")[2]
    return False
