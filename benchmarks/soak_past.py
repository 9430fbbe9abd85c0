"""The past of a soak: visits whose retention comes due as fast as new ones begin."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from benchmarks.soak_visitors import SITE, VisitStep, plan
from core.agents import add_agent, new_secret
from core.database import open_database, writing
from core.schema import upgrade_schema
from core.sites import add_site, change_site
from core.tables import Visit
from core.visits.presence import VISIT_ENDS_AFTER
from tests.helpers.stored_rows import store_spans, store_views, store_visits

AT_ONCE = 2_000
MORE = 15
"""Minutes of the past beyond the soak's length: retention's last run is still about as long as the first."""


def make_past(url: str, minutes: int, visits_per_second: float, retention_days: int) -> str:
    """Make the tables, the site, its past and an agent; returns the secret of the agent's browser.

    Some visits are as old as retention keeps them, spread over the soak's minutes; others were there
    in the last half hour, so that there are as many live visits from the beginning.
    """
    engine = open_database(url)
    upgrade_schema(engine)
    now, secret = datetime.now(UTC), new_secret()
    with writing(engine) as db:
        site = add_site(db, name="Soak", key=SITE, now=now)
        change_site(db, SITE, chat_button=True)
        add_agent(db, "Ann", now, secret)
    due = now - timedelta(days=retention_days)
    length = timedelta(minutes=minutes + MORE)
    for begin, spread in ((due, length), (now - VISIT_ENDS_AFTER, VISIT_ENDS_AFTER)):
        number = round(spread.total_seconds() * visits_per_second)
        moments = (begin + spread * place / number for place in range(number))
        while some := tuple(islice(moments, AT_ONCE)):
            with writing(engine) as db:
                _store(db, site.id or 0, some)
    engine.dispose()
    return secret


def shopper_share(seed: int) -> float:
    """Which share of the visitors become visits: crawlers and those without a beacon do not."""
    chance = random.Random(seed)
    return sum(any(step.kind == "beacon" for step in plan(chance)) for _ in range(4_000)) / 4_000


def _store(db: Connection, site_id: int, moments: tuple[datetime, ...]) -> None:
    visits, views, spans = [], [], []
    chance = random.Random(moments[0].timestamp())
    for at in moments:
        steps = [step for step in _a_shopper(chance) if step.kind == "beacon"]
        shown = [step for step in steps if step.fields["e"] == "v"]
        visit_id = f"{chance.getrandbits(100):020x}"[:20]
        visits.append(_visit(site_id, visit_id, at, shown))
        for step in shown:
            tab = {"site_id": site_id, "visit_id": visit_id, "tab": step.tab + 1}
            number, path, title = (step.fields[name] for name in ("n", "u", "d"))
            views.append({**tab, "number": number, "viewed_at": at, "path": path, "title": title})
        spans += _spans(site_id, visit_id, at, {step.tab for step in shown})
    store_visits(db, visits)
    store_views(db, views)
    store_spans(db, spans)


def _a_shopper(chance: random.Random) -> list[VisitStep]:
    while True:
        steps = plan(chance)
        if any(step.kind == "beacon" for step in steps):
            return steps


def _visit(site_id: int, visit_id: str, at: datetime, shown: list[VisitStep]) -> dict[str, Any]:
    last = shown[-1].fields
    row = Visit(
        site_id=site_id,
        id=visit_id,
        started_at=at - timedelta(seconds=30),
        last_seen_at=at,
        last_activity_at=at,
        in_view_until=at,
        page_count=len(shown),
        entry_path="/",
        current_path=last["u"],
        current_title=last["d"],
        source="Google",
        source_kind="search",
        referrer="https://www.google.com/",
        browser="Chrome",
        os="Windows",
        device="Desktop",
        language="de-AT",
    )
    return row.model_dump()


def _spans(site_id: int, visit_id: str, at: datetime, tabs: set[int]) -> Iterator[dict[str, Any]]:
    """In view and active, as a visit leaves them in each tab."""
    for tab in tabs:
        for kind in ("in_view", "active"):
            yield {
                "site_id": site_id,
                "visit_id": visit_id,
                "tab": tab + 1,
                "kind": kind,
                "number": 1,
                "from_at": at - timedelta(seconds=30),
                "until_at": at,
                "is_open": False,
            }
