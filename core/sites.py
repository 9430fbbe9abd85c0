"""The sites that are tracked: list, find, add and change them. The caller owns the transaction.

A site that is being deleted (`core.removal`) is none of them; only its key is still taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypedDict, Unpack
from zoneinfo import available_timezones

import idna
from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update

from core.enrich.page_context import make_rule
from core.enrich.query_keys import is_always_secret
from core.enrich.text import clean
from core.enrich.url import is_ip_host, split_host
from core.funnel_steps import FunnelStep, check_funnel_steps
from core.locks import lock_site
from core.moment import to_milliseconds
from core.own_visits import network_text, read_network
from core.site_changes import note_changes
from core.tables import Site

DEMO_KEY = "demo"
"""The key of the demo shop's site, which the first start adds."""

LONGEST_KEY = 64
LONGEST_NAME = 100
MAX_DOMAINS = 100
MAX_OWN_NETWORKS = 100
MAX_QUERY_KEYS = 20
MAX_RULES = 100

_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")
_QUERY_KEY = re.compile(r"[\w.:~$\[\]-]{1,64}")
"""What needs no escape in an attribute of the tag, and is one word there."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_table = Site.metadata.tables["site"]
_IS_KEPT = _table.c.removed_at.is_(None)
_find_by_key = select(_table).where(_table.c.key == bindparam("of_key"), _IS_KEPT)
_find_of_id = select(_table).where(_table.c.id == bindparam("of_id"), _IS_KEPT)
_find_by_id = select(_table.c.id).where(_table.c.id == bindparam("of_id"), _IS_KEPT)
_find_all = select(_table).where(_IS_KEPT).order_by(_table.c.id)
_find_removed = select(_table).where(~_IS_KEPT).order_by(_table.c.id)
_find_removal = select(_table.c.removed_at).where(_table.c.key == bindparam("of_key"))


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
    query_keys: Iterable[str]
    own_networks: Iterable[str]
    funnel_steps: Sequence[FunnelStep]


def list_sites(db: Connection) -> list[Site]:
    """Every site, in the order in which they were added."""
    return [_site(row) for row in db.execute(_find_all)]


def find_site(db: Connection, key: str) -> Site | None:
    """The site with this key, or None; also of what is no key: Postgres refuses NUL as a fault."""
    if not _KEY.fullmatch(key):
        return None
    row = db.execute(_find_by_key, {"of_key": key}).one_or_none()
    return None if row is None else _site(row)


def existing_site(db: Connection, key: str) -> Site:
    """The site with this key. Raises SiteError when there is none."""
    site = find_site(db, key)
    if site is None:
        raise SiteError(f"There is no site with the short name '{key}': see the list of sites.")
    return site


def site_of_id(db: Connection, site_id: int) -> Site | None:
    """The site with this id, or None."""
    row = db.execute(_find_of_id, {"of_id": site_id}).one_or_none()
    return None if row is None else _site(row)


def has_site(db: Connection, site_id: int) -> bool:
    """Whether there is a site with this id."""
    return db.execute(_find_by_id, {"of_id": site_id}).first() is not None


def removed_sites(db: Connection) -> list[Site]:
    """The sites that are being deleted, in the order in which they were added."""
    return [_site(row) for row in db.execute(_find_removed)]


def is_removed(site_id: Any) -> ColumnElement[bool]:
    """The condition that the site of this column is being deleted."""
    removed = select(_table.c.id).where(_table.c.id == site_id, ~_IS_KEPT)
    return removed.correlate_except(_table).exists()


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
    if key:
        _refuse_taken(db, check_key(key))
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
        "own_networks": [],
        "query_keys": [],
        "funnel_steps": [],
    }
    db.execute(insert(_table).values(values))
    site = existing_site(db, key)
    _note_change(db, site, to_milliseconds(now))
    return site


def change_site(db: Connection, key: str, **changes: Unpack[SiteChanges]) -> Site:
    """The site as it is now. Raises SiteError for an unknown site or a value that cannot be used."""
    site = existing_site(db, key)
    lock_site(db, site.id or 0)
    values: dict[str, Any] = dict(changes)
    for column, check in _CHECKS.items():
        if column in values:
            values[column] = check(values[column])
    if values:
        db.execute(update(_table).where(_table.c.key == key).values(values))
        _note_change(db, site)
    return existing_site(db, key)


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
            f"The short name '{key}' cannot be used: "
            f"write 1 to {LONGEST_KEY} letters a-z, digits, - or _, for example tea-shop."
        )
    return key


def check_domains(domains: Iterable[str]) -> list[str]:
    """The domains as `check_domain` writes them, each once. Raises SiteError."""
    checked = list(dict.fromkeys(check_domain(domain) for domain in domains))
    if len(checked) > MAX_DOMAINS:
        raise SiteError(
            f"{len(checked)} addresses are too many: keep at most {MAX_DOMAINS}; "
            "shop.example without https:// covers www.shop.example and the like."
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
            f"The address '{domain}' cannot be used: write shop.example, which covers "
            "www.shop.example and the like too, or https://shop.example for that one alone."
        )
    if not scheme and port:
        raise SiteError(
            f"The address '{domain}' has a port but no http:// or https://: "
            f"write http://{host}{port} or https://{host}{port}, or {host} for every port."
        )
    if not scheme:
        return host
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else port}"


def domain_of_address(address: str) -> str:
    """The domain of the website at this address: "https://www.shop.example/tea" is "shop.example",
    which covers the subdomains too. With a port it is the origin alone. Raises SiteError.
    """
    scheme, separator, rest = address.strip().rpartition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    domain = check_domain(f"{scheme}{separator}{host}")
    bare = domain.rpartition("://")[2]
    if re.search(r":\d+$", bare):
        return domain
    shorter = bare.removeprefix("www.")
    return shorter if "." in shorter else bare


def check_query_keys(keys: Iterable[str]) -> list[str]:
    """The keys as they are stored, each once. Raises SiteError."""
    checked = list(dict.fromkeys(_check_query_key(key.strip()) for key in keys))
    if len(checked) > MAX_QUERY_KEYS:
        raise SiteError(
            f"{len(checked)} query keys are too many: keep at most {MAX_QUERY_KEYS}, those that name a page."
        )
    return checked


def _check_query_key(key: str) -> str:
    if not _QUERY_KEY.fullmatch(key):
        raise SiteError(
            f"The query key '{key}' cannot be used: write the name alone, for example color, where the "
            "address has ?color=blue."
        )
    if is_always_secret(key):
        raise SiteError(
            f"The query key '{key}' is never kept: its value opens something or names a visitor. "
            "Leave it out; the pages are recorded without it."
        )
    return key


def check_own_networks(networks: Iterable[str]) -> list[str]:
    """The addresses and networks as they are stored, each once. Raises SiteError."""
    checked = list(dict.fromkeys(_check_network(network) for network in networks))
    if len(checked) > MAX_OWN_NETWORKS:
        raise SiteError(
            f"{len(checked)} own addresses are too many: keep at most {MAX_OWN_NETWORKS}; a network such as "
            "203.0.113.0/24 covers many."
        )
    return checked


def _check_network(text: str) -> str:
    network = read_network(text)
    if network is None:
        raise SiteError(
            f"The own address '{text}' cannot be used: write one such as 203.0.113.7, or a network such as "
            "203.0.113.0/24 or 2001:db8::/56, not larger than /8 (IPv6: /16)."
        )
    return network_text(network)


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


def _check_funnel_steps(steps: Sequence[FunnelStep]) -> list[dict[str, str]]:
    try:
        return check_funnel_steps(steps)
    except ValueError as fault:
        raise SiteError(str(fault)) from None


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


def _refuse_taken(db: Connection, key: str) -> None:
    """A key is taken until the last row of its site is deleted: rows are found by the site's id."""
    taken = db.execute(_find_removal, {"of_key": key}).one_or_none()
    if taken is None:
        return
    if taken.removed_at is None:
        raise SiteError(
            f"A site with the short name '{key}' exists already: choose another short name."
        )
    raise SiteError(
        f"The short name '{key}' belongs to a site that is still being deleted: "
        "wait until that is done, or choose another short name."
    )


def _note_change(db: Connection, site: Site, now: int = 0) -> None:
    assert site.id is not None
    note_changes(db, [site.id], now)


def _site(row: Row[Any]) -> Site:
    return Site.of(row._mapping)  # pyright: ignore[reportPrivateUsage]


_CHECKS: dict[str, Any] = {
    "name": check_name,
    "domains": check_domains,
    "time_zone": check_time_zone,
    "context_rules": check_context_rules,
    "query_keys": check_query_keys,
    "own_networks": check_own_networks,
    "funnel_steps": _check_funnel_steps,
}
