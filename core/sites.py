"""The sites that are tracked: list, find, add and change them. The caller owns the transaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypedDict, Unpack
from zoneinfo import available_timezones

import idna
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from core.enrich.page_context import make_rule
from core.enrich.text import clean
from core.enrich.url import is_ip_host, split_host
from core.tables import Site

DEMO_KEY = "demo"
"""The key of the demo shop's site, which the first start adds."""

LONGEST_KEY = 64
LONGEST_NAME = 100
MAX_DOMAINS = 100
MAX_RULES = 100

_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_table = Site.metadata.tables["site"]
_find_by_key = select(_table).where(_table.c.key == bindparam("of_key"))
_find_all = select(_table).order_by(_table.c.id)


class SiteError(ValueError):
    """A site's value that cannot be used; the text names the value and the cure."""


class SiteChanges(TypedDict, total=False):
    """What can be changed of a site; its key cannot, because it stands in the site's pages."""

    name: str
    domains: Iterable[str]
    accepts_null_origin: bool
    time_zone: str
    tracking_enabled: bool
    context_rules: Sequence[Mapping[str, str]]
    chat_button: bool


def list_sites(db: Connection) -> list[Site]:
    """Every site, in the order in which they were added."""
    return [_site(row) for row in db.execute(_find_all)]


def find_site(db: Connection, key: str) -> Site | None:
    """The site with this key, or None."""
    row = db.execute(_find_by_key, {"of_key": key}).one_or_none()
    return None if row is None else _site(row)


def add_site(
    db: Connection,
    *,
    name: str,
    key: str = "",
    domains: Iterable[str] = (),
    time_zone: str = "UTC",
    now: datetime,
) -> Site:
    """The new site; an empty key is made from the name. Raises SiteError."""
    name = check_name(name)
    if key and find_site(db, check_key(key)) is not None:
        raise SiteError(f"A site with the key '{key}' exists already: choose another key.")
    key = key or propose_key(db, name)
    values = {
        "key": key,
        "name": name,
        "domains": check_domains(domains),
        "accepts_null_origin": False,
        "time_zone": check_time_zone(time_zone),
        "tracking_enabled": True,
        "context_rules": [],
        "created_at": now,
        "chat_button": False,
    }
    db.execute(insert(_table).values(values))
    return _existing(db, key)


def change_site(db: Connection, key: str, **changes: Unpack[SiteChanges]) -> Site:
    """The site as it is now. Raises SiteError for an unknown site or a value that cannot be used."""
    _existing(db, key)
    values: dict[str, Any] = dict(changes)
    for column, check in _CHECKS.items():
        if column in values:
            values[column] = check(values[column])
    if values:
        db.execute(update(_table).where(_table.c.key == key).values(values))
    return _existing(db, key)


def propose_key(db: Connection, name: str) -> str:
    """A key that no site has yet, made from the name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name)[: LONGEST_KEY - 4].strip("-") or "site"
    taken = set(db.execute(select(_table.c.key)).scalars())
    number = 1
    key = stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key


def check_name(name: str) -> str:
    """The name on one line, at most LONGEST_NAME characters. Raises SiteError when empty."""
    name = clean(name, LONGEST_NAME)
    if not name:
        raise SiteError("The site has no name: write one, for example 'Tea shop'.")
    return name


def check_key(key: str) -> str:
    """The key. Raises SiteError unless it is 1 to 64 of A-Z a-z 0-9 _ -."""
    if not _KEY.fullmatch(key):
        raise SiteError(
            f"The key '{key}' cannot be used: "
            f"write 1 to {LONGEST_KEY} letters a-z, digits, - or _, for example tea-shop."
        )
    return key


def check_domains(domains: Iterable[str]) -> list[str]:
    """The domains as `check_domain` writes them, each once. Raises SiteError."""
    checked = list(dict.fromkeys(check_domain(domain) for domain in domains))
    if len(checked) > MAX_DOMAINS:
        raise SiteError(
            f"{len(checked)} domains are too many: keep at most {MAX_DOMAINS}; "
            "a host without https:// covers all its subdomains."
        )
    return checked


def check_domain(domain: str) -> str:
    """An origin ("https://shop.example:8443") or a bare host ("shop.example"), in lower case.

    International names are written as browsers send them (punycode), an origin without its
    scheme's own port. Raises SiteError.
    """
    text = domain.strip()
    scheme, separator, rest = text.rpartition("://")
    scheme = scheme.lower()
    host, port = _host_and_port(rest.removesuffix("/"))
    if not host or scheme not in ("http", "https", "") or (separator and not scheme):
        raise SiteError(
            f"The domain '{domain}' cannot be used: write a host such as shop.example, which "
            "covers its subdomains too, or an origin such as https://shop.example."
        )
    if not scheme and port:
        raise SiteError(
            f"The domain '{domain}' has a port but no scheme: "
            f"write http://{host}{port} or https://{host}{port}, or {host} for every port."
        )
    if not scheme:
        return host
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else port}"


def check_time_zone(time_zone: str) -> str:
    """The IANA name of a time zone. Raises SiteError."""
    if time_zone not in _time_zones():
        raise SiteError(
            f"The time zone '{time_zone}' is not known: "
            "write an IANA name, for example Europe/Berlin or UTC."
        )
    return time_zone


def check_context_rules(rules: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The owner's own context rules as they are stored. Raises SiteError."""
    if len(rules) > MAX_RULES:
        raise SiteError(f"{len(rules)} context rules are too many: keep at most {MAX_RULES}.")
    return [_check_context_rule(**rule) for rule in rules]


def _check_context_rule(pattern: str, context: str) -> dict[str, str]:
    try:
        rule = make_rule(pattern, context)
    except ValueError as fault:
        raise SiteError(f"The context rule '{pattern}' cannot be used. {fault}.") from None
    return {"pattern": rule.pattern, "context": rule.context.value}


def _host_and_port(text: str) -> tuple[str, str]:
    """Both empty when the text is no host of a website."""
    try:
        if not text.isascii():
            host, colon, port = text.partition(":")
            text = idna.encode(host, uts46=True).decode() + colon + port
    except idna.IDNAError:
        return "", ""
    found = split_host(text)
    if found is None or not _may_be_host(found[0]) or int(found[1][1:] or 1) not in range(1, 65536):
        return "", ""
    return found


def _may_be_host(host: str) -> bool:
    if is_ip_host(host):
        return True
    labels = host.split(".")
    return all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _existing(db: Connection, key: str) -> Site:
    site = find_site(db, key)
    if site is None:
        raise SiteError(f"There is no site with the key '{key}': see python -m core site list.")
    return site


def _site(row: Row[Any]) -> Site:
    return Site.of(row._mapping)  # pyright: ignore[reportPrivateUsage]


_CHECKS: dict[str, Any] = {
    "name": check_name,
    "domains": check_domains,
    "time_zone": check_time_zone,
    "context_rules": check_context_rules,
}
