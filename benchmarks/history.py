"""A database with a given number of past and of live visits, as the collector would have written it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from collector.writing.statements import Statements
from core.database import open_database, writing
from core.enrich.page_context import PageContext
from core.moment import milliseconds, to_milliseconds
from core.schema import upgrade_schema
from core.sites import add_site
from core.visits.hit import Event, EventKind, Opening
from core.visits.presence import COUNT_SLOT, VISIT_ENDS_AFTER
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit import advance, open_visit
from core.visits.visit_rows import VisitRows
from core.visits.visit_sequence import take_numbers

DAY = 86_400_000
HISTORY_DAYS = 90
AT_ONCE = 20_000
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
    """Create the tables and one site, `shop`, with its visits and their counts."""
    engine = open_database(database_url)
    upgrade_schema(engine)
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", now=datetime.now(UTC))
    visits = _visits(site.id or 0, history, live, to_milliseconds(now))
    rows = Statements(engine)
    while batch := list(islice(visits, AT_ONCE)):
        counts = Counter((visit.site_id, visit.started_at // _SLOT * _SLOT) for visit in batch)
        with writing(engine) as db:
            for number, visit in enumerate(batch, take_numbers(db, site.id or 0, len(batch))):
                visit.number = number
            rows.store_visits(db, batch)
            rows.add_counts(db, [(*slot, visits) for slot, visits in counts.items()])
    if engine.dialect.name == "sqlite":
        with writing(engine) as db:
            db.exec_driver_sql("ANALYZE")
    engine.dispose()


def _visits(site_id: int, history: int, live: int, now: int) -> Iterator[TrackedVisit]:
    """The visits, oldest first, as they would have arrived."""
    chance = random.Random(history)
    over = milliseconds(VISIT_ENDS_AFTER)
    span = HISTORY_DAYS * DAY
    for number in range(history):
        yield _visit(site_id, number, now - over - span + span * number // history, chance)
    for number in range(live):
        yield _visit(site_id, history + number, now - chance.randrange(1, over), chance)


def _visit(site_id: int, number: int, at: int, chance: random.Random) -> TrackedVisit:
    event = Event(
        kind=EventKind.VIEW,
        number=1,
        at=at,
        active_at=at,
        path=f"/products/{number % 500}",
        title=f"Product {number % 500}",
        context=chance.choice(_CONTEXTS),
    )
    opening = Opening(
        source=chance.choice(_SOURCES),
        browser=chance.choice(_BROWSERS),
        os=chance.choice(_SYSTEMS),
        country=chance.choice(_COUNTRIES),
    )
    visit = open_visit(site_id, f"visit{number:015d}", event, opening)
    advance(visit, "tab00001", event, VisitRows())
    return visit
