"""A database with sites and visitors, for the tests of the pages."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert

from core.database import open_database, writing
from core.schema import upgrade_schema
from core.sites import add_site
from core.tables import Site, VisitCount
from core.visits.presence import IN_VIEW_FOR, SpanKind
from tests.helpers.stored_rows import store_spans, store_views, store_visits

PAGES = (
    ("/", "Harbour Tea", ""),
    ("/collections/tea", "Tea", "Collection"),
    ("/collections/cups", "Cups", "Collection"),
    ("/products/amber-oolong", "Amber Oolong", "Product"),
    ("/products/night-train", "Night Train", "Product"),
    ("/search", "Search", "Search"),
    ("/cart", "Your cart", "Cart"),
    ("/checkout/shipping", "Checkout", "In Checkout"),
    ("/checkout/thank-you", "Thank you", "Purchased"),
)
SOURCES = (
    ("Direct", "direct"),
    ("Google", "search"),
    ("Google Ads", "paid"),
    ("ChatGPT", "ai"),
    ("Instagram", "social"),
    ("news.example", "referral"),
)
COUNTRIES = ("DE", "US", "FR", "JP", "GB", "CH", "BR", "IN", "")
SYSTEMS = (
    ("Chrome", "Windows", "desktop"),
    ("Safari", "iOS", "phone"),
    ("Chrome", "Android", "phone"),
    ("Safari", "macOS", "desktop"),
    ("Firefox", "Linux", "desktop"),
    ("Edge", "Windows", "desktop"),
    ("Samsung Internet", "Android", "phone"),
    ("", "", ""),
)


def make_database(folder: Path) -> tuple[str, Engine]:
    """An empty database with the schema: its URL and its engine."""
    url = f"sqlite:///{folder / 'monitor.db'}"
    engine = open_database(url)
    upgrade_schema(engine)
    return url, engine


def make_site(engine: Engine, **values: object) -> Site:
    """A site, `Tea shop` in Berlin unless given otherwise."""
    named = {"name": "Tea shop", "time_zone": "Europe/Berlin", **values}
    with writing(engine) as db:
        return add_site(db, **named, now=datetime.now(UTC))  # pyright: ignore[reportArgumentType]


def make_visits(engine: Engine, site: Site, number: int, *, now: datetime, seed: int = 7) -> None:
    """Make `number` live visits, the same for the same seed, and the counts of a week before them."""
    chance = random.Random(seed)
    visits = [_visit(chance, site, position, now) for position in range(number)]
    with writing(engine) as db:
        if visits:
            store_visits(db, visits)
        for ago in range(0 if number else 7, 7):
            noon = (now - timedelta(days=ago)).replace(hour=10, minute=0, second=0, microsecond=0)
            db.execute(
                insert(VisitCount).values(
                    site_id=site.id,
                    starts_at=min(noon, now - timedelta(hours=2)).replace(minute=0, second=0),
                    visits=number + chance.randrange(10 + number),
                )
            )


def make_visit(
    engine: Engine, site: Site, visit_id: str, *, now: datetime, **values: object
) -> None:
    """One live visit with the given columns, and its one page view, in view since a minute ago."""
    visit = {**_visit(random.Random(1), site, 0, now), "id": visit_id}
    visit |= {
        "started_at": now - timedelta(seconds=60),
        "last_seen_at": now,
        "last_activity_at": now - timedelta(seconds=20),
        "in_view_until": now + IN_VIEW_FOR,
        **values,
    }
    tab = {"site_id": site.id, "visit_id": visit_id, "tab": 1}
    with writing(engine) as db:
        store_visits(db, [visit])
        view = {
            "number": 1,
            "viewed_at": visit["started_at"],
            "path": visit["current_path"],
            "title": visit["current_title"],
            "page_context": visit["page_context"],
        }
        store_views(db, [tab | view])
        span = {"kind": SpanKind.IN_VIEW, "number": 1, "from_at": visit["started_at"]}
        store_spans(db, [tab | span | {"until_at": now}])


def _visit(chance: random.Random, site: Site, position: int, now: datetime) -> dict[str, object]:
    path, title, context = chance.choice(PAGES)
    source, kind = chance.choice(SOURCES)
    browser, system, device = chance.choices(SYSTEMS, weights=range(16, 0, -2))[0]
    idle = timedelta(seconds=min(chance.expovariate(1 / 240), 1200))
    is_in_view = chance.random() < 0.6
    seen = now if is_in_view else now - idle
    chats = position % 9 == 4
    return {
        "site_id": site.id,
        "id": f"visit{position:011d}",
        "started_at": now - idle - timedelta(seconds=chance.randrange(2500)),
        "last_seen_at": seen,
        "last_activity_at": now - idle,
        "in_view_until": now + timedelta(hours=1) if is_in_view else seen,
        "page_count": chance.randrange(1, 14),
        "entry_path": "/",
        "current_path": path,
        "current_title": title,
        "page_context": context,
        "referrer": "",
        "source": source,
        "source_kind": kind,
        "medium": "",
        "campaign": "",
        "browser": browser,
        "os": system,
        "device": device,
        "country": chance.choices(COUNTRIES, weights=range(18, 0, -2))[0],
        "language": "de-DE",
        "time_zone": "Europe/Berlin",
        "attributes": {"name": f"Visitor {position}"} if position % 5 == 0 else {},
        "chat_source": "third_party" if chats else "",
        "chat_started_at": now - timedelta(minutes=3) if chats else None,
        "chat_message_at": now - timedelta(minutes=2) if chats else None,
    }
