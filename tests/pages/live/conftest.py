"""A dashboard with sites of different sizes, and browsers on it, for the tests of the live page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine, insert

from core.database import writing
from core.tables import VisitCount
from tests.helpers.profiles import STILL
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visit, make_visits

HOSTILE = "![x](http://evil.example/a.png)<img src=http://evil.example/b onerror=alert(1)>"
LONG = "a-very-long-campaign-of-a-newsletter.with.many.parts.example.com"
OpenSite = Callable[..., Page]


@pytest.fixture(scope="module")
def live_database(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Engine]:
    """The database's address, and its engine. Sites: demo, of which nothing was ever heard; calm,
    where nobody is now; three; small, with somebody hostile; fifty, with somebody of many words;
    big, with 10,000."""
    url, engine = make_database(tmp_path_factory.mktemp("dashboard"))
    now = datetime.now(UTC)
    make_site(engine, key="demo", name="Demo shop", time_zone="UTC")
    calm = make_site(engine, key="calm", name="Calm shop")
    with writing(engine) as db:
        earlier = (now - timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
        db.execute(insert(VisitCount).values(site_id=calm.id, starts_at=earlier, visits=5))
    make_visits(engine, make_site(engine, key="three", name="Three shop"), 3, now=now)
    small = make_site(engine, key="small", name="Tea shop")
    make_visits(engine, small, 24, now=now)
    make_visit(
        engine,
        small,
        "hostile",
        now=now,
        current_path=f"/{HOSTILE}",
        current_title=HOSTILE,
        source=HOSTILE,
        attributes={"name": HOSTILE},
    )
    fifty = make_site(engine, key="fifty", name="Fifty shop")
    make_visits(engine, fifty, 49, now=now)
    make_visit(
        engine,
        fifty,
        "wordy",
        now=now,
        current_path=f"/cart/{LONG}",
        current_title="A title of its own",
        page_context="Cart",
        source=LONG,
        attributes={"email": f"{LONG}@example.com"},
        visit_number=3,
        cart_value=1120.5,
        cart_currency="EUR",
    )
    make_visits(engine, make_site(engine, key="big", name="Big shop"), 10_000, now=now)
    return url, engine


@pytest.fixture(scope="module")
def dashboard(live_database: tuple[str, Engine]) -> Iterator[str]:
    """The address of a running dashboard."""
    with running_dashboard(live_database[0]) as address:
        yield address


@pytest.fixture
def open_site(browser: Browser, dashboard: str) -> Iterator[OpenSite]:
    """Opens Visitor Monitor; no page of a test may send a request to another server."""
    contexts = []
    requested: list[str] = []

    def open_site(
        key: str, *, width: int = 1440, height: int = 900, theme: str = "light", path: str = ""
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            reduced_motion=STILL,
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{dashboard}/{path}?site={key}")
        return page

    yield open_site
    for context in contexts:
        context.close()
    own = (dashboard, dashboard.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
