"""The past of a soak: visits whose retention comes due as fast as new ones begin."""

from __future__ import annotations

import heapq
import random
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Engine

from benchmarks.soak_visitors import SITE, VisitStep, plan
from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.agents import add_agent, new_secret
from core.database import open_database, writing
from core.locks import lock_site
from core.moment import to_milliseconds
from core.schema import upgrade_schema
from core.sites import add_site, change_site
from core.visits.hit import Cart, Event, EventKind, Hit, Opening
from core.visits.memories import REMEMBERED_FOR, forget_memories

AT_ONCE = 1_000
MORE = 15
"""Minutes of the past beyond the soak's length: retention's last run is still about as long as the first."""


def make_past(url: str, minutes: int, visits_per_second: float, retention_days: int) -> str:
    """Make the tables, the site, its past and an agent; returns the secret of the agent's browser.

    Some visits began when retention is due, spread over the soak's minutes; the others within the time
    for which a visit is remembered. So from the beginning as many visits are live, and as many remembered,
    as at the end. All of them are stored as the collector stores visits.
    """
    engine = open_database(url)
    upgrade_schema(engine)
    now, secret = datetime.now(UTC), new_secret()
    with writing(engine) as db:
        site = add_site(db, name="Soak", key=SITE, now=now)
        change_site(db, SITE, chat_button=True)
        add_agent(db, "Ann", now, secret)
    site_id = site.id or 0
    length = timedelta(minutes=minutes + MORE)
    _store(engine, site_id, now - timedelta(days=retention_days), length, visits_per_second)
    with writing(engine) as db:
        lock_site(db, site_id)
        while forget_memories(db, site_id, now, AT_ONCE):
            pass
    _store(engine, site_id, now - REMEMBERED_FOR, REMEMBERED_FOR, visits_per_second)
    engine.dispose()
    return secret


def shopper_share(seed: int) -> float:
    """Which share of the visitors become visits: crawlers and those without a beacon do not."""
    chance = random.Random(seed)
    return sum(any(step.kind == "beacon" for step in plan(chance)) for _ in range(4_000)) / 4_000


def _store(
    engine: Engine, site_id: int, begin: datetime, length: timedelta, visits_per_second: float
) -> None:
    """Visits that began between `begin` and `length` later, and what they sent until then."""
    number = round(length.total_seconds() * visits_per_second)
    chance = random.Random(begin.timestamp())
    hits = heapq.merge(
        *(_hits(site_id, begin + length * place / number, chance) for place in range(number)),
        key=lambda hit: hit.received_at,
    )
    end = to_milliseconds(begin + length)
    past = (hit for hit in hits if hit.received_at < end)
    statements, cache = Statements(engine), VisitCache()
    while batch := list(islice(past, AT_ONCE)):
        commit_hits(engine, statements, cache, batch)


def _hits(site_id: int, began_at: datetime, chance: random.Random) -> list[Hit]:
    """What one visitor sends who shops."""
    visit_id = f"{chance.getrandbits(100):020x}"[:20]
    tabs = [f"{chance.getrandbits(32):08x}" for _ in range(2)]
    at, hits = to_milliseconds(began_at), list[Hit]()
    for step in _a_shopper(chance):
        at += round(step.pause * 1_000)
        if step.kind == "beacon":
            hits.append(_hit(site_id, visit_id, tabs[step.tab], at, step))
    return hits


def _a_shopper(chance: random.Random) -> list[VisitStep]:
    while True:
        steps = plan(chance)
        if any(step.kind == "beacon" for step in steps):
            return steps


def _hit(site_id: int, visit_id: str, tab: str, at: int, step: VisitStep) -> Hit:
    sent = step.fields
    event = Event(
        EventKind(sent["e"]),
        sent["n"],
        at,
        at - sent["a"] * 1_000,
        sent["u"],
        sent.get("d", ""),
        focused=bool(sent["f"]),
        page=sent.get("p", 0),
        cart=Cart(sent["cv"], sent["cc"]) if "cv" in sent else None,
    )
    return Hit(
        site_id, (visit_id,), False, tab, at, (event,), _OPENING if sent["e"] == "v" else None
    )


_OPENING = Opening(
    referrer="https://www.google.com/",
    source="Google",
    source_kind="search",
    browser="Chrome",
    os="Windows",
    device="Desktop",
    language="de-AT",
)
