"""The stream of the sites' changes: who may read it, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.database import writing
from core.site_changes import note_changes
from pages.server import feed_streams
from pages.server.gate import Gate
from pages.server.site_feed import SiteFeed
from pages.server.site_routes import site_routes
from tests.helpers.event_loop import run
from tests.helpers.open_stream import OpenStream
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site
from tests.pages.conftest import Database

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def engine_and_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    url, engine = make_database(tmp_path_factory.mktemp("changes"))
    with running_dashboard(url) as address:
        yield engine, address


@pytest.fixture
def client(engine_and_address: tuple[Any, str]) -> Iterator[httpx.Client]:
    """A browser without an agent's cookie."""
    with httpx.Client(base_url=engine_and_address[1], timeout=40) as client:
        yield client


def test_whoever_sees_the_pages_is_told_of_every_change(
    engine_and_address: tuple[Any, str], client: httpx.Client
) -> None:
    engine = engine_and_address[0]
    tea, toys = (make_site(engine, key=key) for key in ("tea", "toys"))
    stream = OpenStream(client, "/changes")
    wait_for(stream.news)
    assert stream.events[0][0] == "hello"
    assert stream.events[0][1]["following"] is True
    whole = stream.news()[0]["sites"]
    assert whole.keys() == {"tea", "toys", ""}
    with writing(engine) as db:
        note_changes(db, [toys.id or 0])
    wait_for(lambda: len(stream.news()) > 1)
    change = stream.news()[1]
    assert change.keys() == {"sites"}
    assert change["sites"].keys() == {"toys", ""}
    assert change["sites"]["toys"] > whole["toys"] and tea.key not in change["sites"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_stranger_reads_it(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("/changes", headers=headers).status_code == 403


def test_it_is_only_read(client: httpx.Client) -> None:
    assert client.head("/changes").status_code == 405


def test_process_holds_so_many_streams_and_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_streams, "MOST_STREAMS", 1)

    async def ask() -> httpx.Response:
        feed = SiteFeed()
        dashboard = httpx.ASGITransport(Gate(Starlette(routes=site_routes(feed))))
        async with httpx.AsyncClient(transport=dashboard, base_url="http://127.0.0.1") as browser:
            await feed.subscribe(None)
            refused = await browser.get("/changes")
        await feed.stop()
        return refused

    refused = run(ask())
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
