"""A database with a given number of past and of live visits."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime

from benchmarks.past_rows import make_past
from benchmarks.past_statements import Past
from collector.writing.statements import Statements
from core.agents import add_agent
from core.database import open_database, reading, writing
from core.enrich.page_context import PageContext
from core.moment import milliseconds, to_milliseconds
from core.schema import upgrade_schema
from core.sites import add_site, existing_site
from core.visits.hit import Event, EventKind, Opening
from core.visits.presence import COUNT_SLOT, VISIT_ENDS_AFTER
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit import advance, open_visit
from core.visits.visit_rows import VisitRows
from core.visits.visit_sequence import take_numbers

OTHER_SITES = 3
"""Which have three visits of ten."""

_SLOT = milliseconds(COUNT_SLOT)
_BROWSERS = (
    "Chrome",
    "Safari",
    "Edge",
    "Firefox",
    "Samsung Internet",
    "Opera",
    "Brave",
    "DuckDuckGo",
)
_SYSTEMS = ("Windows", "iOS", "Android", "macOS", "Linux")
_COUNTRIES = ("US", "DE", "GB", "FR", "NL", "IN", "JP", "BR", "CA", "AU", "SE", "")
_SOURCES = ("Direct", "Google", "Bing", "Instagram", "ChatGPT", "Newsletter")
_CONTEXTS = tuple(PageContext)


def fill(database_url: str, history: int, live: int, now: datetime) -> None:
    """Create the tables and the site `shop` with its live visits, as the collector would have stored them.

    history: visits that are over, of `shop` and, where there are any, of OTHER_SITES others: `past_rows`.
    """
    engine = open_database(database_url)
    upgrade_schema(engine)
    with writing(engine) as db:
        site_id = add_site(db, name="Shop", key="shop", now=now).id or 0
        others = [
            add_site(db, name=f"Shop {number + 2}", now=now)
            for number in range(OTHER_SITES * bool(history))
        ]
        if history:
            add_agent(db, "Ann", now)
    engine.dispose()
    if history:
        ids = [site_id, *(other.id or 0 for other in others)]
        make_past(database_url, Past(ids, history, to_milliseconds(now)))
    if live:
        store_live(database_url, live, to_milliseconds(now))


def store_live(database_url: str, live: int, now: int) -> None:
    """Store so many visits of `shop` that are live at `now`, in milliseconds, each with its first page view."""
    engine, chance = open_database(database_url), random.Random(now)
    over = milliseconds(VISIT_ENDS_AFTER)
    moments = [now - chance.randrange(1, over) for _ in range(live)]
    counts = Counter(at // _SLOT * _SLOT for at in moments)
    rows = Statements(engine)
    with reading(engine) as db:
        site_id = existing_site(db, "shop").id or 0
    made = [_visit(site_id, at, chance) for at in moments]
    with writing(engine) as db:
        for number, (visit, _) in enumerate(made, take_numbers(db, site_id, live)):
            visit.number = number
        rows.store_visits(db, [visit for visit, _ in made])
        rows.store_rows(db, made)
        rows.add_counts(db, [(site_id, starts_at, count) for starts_at, count in counts.items()])
    engine.dispose()


def _visit(site_id: int, at: int, chance: random.Random) -> tuple[TrackedVisit, VisitRows]:
    """A visit that has just opened its first page, and the rows of that."""
    page = chance.randrange(500)
    event = Event(
        kind=EventKind.VIEW,
        number=1,
        at=at,
        active_at=at,
        path=f"/products/{page}",
        title=f"Product {page}",
        context=chance.choice(_CONTEXTS),
    )
    opening = Opening(
        source=chance.choice(_SOURCES),
        browser=chance.choice(_BROWSERS),
        os=chance.choice(_SYSTEMS),
        country=chance.choice(_COUNTRIES),
    )
    visit, rows = open_visit(site_id, f"{chance.getrandbits(80):020x}", event, opening), VisitRows()
    advance(visit, "tab00001", event, rows)
    return visit, rows
