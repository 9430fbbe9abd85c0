"""What somebody wants to hear of just now: without a wish nothing is looked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from core.agents import agents_here
from core.notices.kinds import STAYS, NoticeKind
from core.sites import list_sites
from core.tables import AgentNotices, AgentSite, NoticeAddress


class Wish(NamedTuple):
    """A kind; minutes: of Checkout and Cart, after how many; else 0."""

    kind: NoticeKind
    minutes: int = 0


class Wishes(NamedTuple):
    """addresses: those that are on. by_site: what they and the agents want, by the site's id; no site without."""

    addresses: list[NoticeAddress]
    by_site: Mapping[int, frozenset[Wish]]


def wishes_of(kinds: Iterable[str], minutes: int) -> frozenset[Wish]:
    """The wishes of an address or an agent; without kinds that this version does not know."""
    known = [NoticeKind(kind) for kind in kinds if kind in set(NoticeKind)]
    return frozenset(Wish(kind, minutes if kind in STAYS else 0) for kind in known)


def current_wishes(db: Connection, now: datetime) -> Wishes:
    """What the addresses that are on want, and the agents who have the dashboard open, of the sites that they see."""
    sites = {site.id for site in list_sites(db) if site.id}
    addresses = [each for each in _enabled_addresses(db) if each.site_id in sites]
    found: defaultdict[int, frozenset[Wish]] = defaultdict(frozenset)
    for address in addresses:
        found[address.site_id] |= wishes_of(address.kinds, address.minutes)
    for seen, wanted in _wishes_of_agents(db, now):
        for site_id in sites if seen is None else sites & seen:
            found[site_id] |= wanted
    return Wishes(addresses, {site_id: wanted for site_id, wanted in found.items() if wanted})


def _enabled_addresses(db: Connection) -> list[NoticeAddress]:
    rows = db.execute(select(NoticeAddress).where(col(NoticeAddress.is_enabled))).mappings()
    return [NoticeAddress.of(row) for row in rows]


def _wishes_of_agents(
    db: Connection, now: datetime
) -> Iterable[tuple[set[int] | None, frozenset[Wish]]]:
    """Of each agent who is here the sites that they see (None: all), and what they want."""
    rows = db.execute(select(AgentNotices)).mappings()
    wanted = {row["agent_id"]: wishes_of(row["kinds"], row["minutes"]) for row in rows}
    if not any(wanted.values()):
        return
    for agent in agents_here(db, now):
        if wishes := wanted.get(agent.id or 0):
            yield _sites_of(db, agent.id) if agent.is_limited else None, wishes


def _sites_of(db: Connection, agent_id: int | None) -> set[int]:
    seen = select(col(AgentSite.site_id)).where(col(AgentSite.agent_id) == agent_id)
    return set(db.execute(seen).scalars())
