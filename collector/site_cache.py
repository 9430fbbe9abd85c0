"""The sites, cached in memory for every beacon and refreshed every 2 seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine

from collector.origin import Allowed, compile_domains
from core.chat.hours import is_open
from core.chat.looks import all_looks
from core.database import reading
from core.enrich.address import Address
from core.enrich.page_context import ContextRule, find_context
from core.own_visits import own_finder
from core.sites import list_sites
from core.tables import ChatLook, Site

_CACHED_CONTEXTS = 2_048

FindContext = Callable[[str, str, str, str], str]


class TrackedSite(Struct, frozen=True):
    """A site as beacons need it. find_context: path, q, own word and signal -> the label.

    query_keys: those that its paths keep; empty: all that are not secret. is_own: whether an address is one
    of the site's own people.
    """

    id: int
    key: str
    tracking_enabled: bool
    allowed: Allowed
    find_context: FindContext
    chat_button: bool
    time_zone: str
    query_keys: frozenset[str]
    is_own: Callable[[Address | None], bool]
    look: ChatLook

    def is_open(self, now: datetime) -> bool:
        """Whether its chat button begins chats now, where somebody is there to answer."""
        return is_open(self.look.hours, self.time_zone, now)


class SiteCache:
    """The sites by key. While the database is away, the last list holds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sites: dict[str, TrackedSite] = {}
        self._rows: dict[str, dict[str, Any]] = {}

    def find(self, key: str) -> TrackedSite | None:
        """The site with this key, or None."""
        return self._sites.get(key)

    def refresh(self) -> None:
        """Read the list again; a site that has not changed keeps its cached contexts."""
        with reading(self._engine) as connection:
            sites = list_sites(connection)
            looks = all_looks(connection)
        looks = {
            site.id or 0: looks.get(site.id or 0) or ChatLook(site_id=site.id or 0)
            for site in sites
        }
        rows = {site.key: {**dict(site), "look": dict(looks[site.id or 0])} for site in sites}
        self._sites = {
            site.key: self._sites[site.key]
            if self._rows.get(site.key) == rows[site.key]
            else _track(site, looks)
            for site in sites
        }
        self._rows = rows


def _track(site: Site, looks: Mapping[int, ChatLook]) -> TrackedSite:
    if site.id is None:
        raise ValueError(f"the site {site.key} has not been stored")
    return TrackedSite(
        id=site.id,
        key=site.key,
        tracking_enabled=site.tracking_enabled,
        allowed=compile_domains(site.domains, site.accepts_null_origin),
        find_context=_context_finder(site.rules()),
        chat_button=site.chat_button,
        time_zone=site.time_zone,
        query_keys=frozenset(site.query_keys),
        is_own=own_finder(site.own_networks),
        look=looks[site.id],
    )


def _context_finder(rules: tuple[ContextRule, ...]) -> FindContext:
    @lru_cache(maxsize=_CACHED_CONTEXTS)
    def find(path: str, query: str, own: str, signal: str) -> str:
        return str(find_context(path, query, own=own, signal=signal, rules=rules))

    return find
