"""nginx and Caddy as deploy/ has them, on a host of their own and below a path, before the real processes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from core.accounts.accounts import Account
from core.accounts.sessions import end_sessions
from core.database import open_database, writing
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.deployed_proxy import (
    PrepareProxy,
    ProxiedPlace,
    caddy,
    checked,
    nginx,
    running_proxy,
)
from tests.helpers.dialog import chatting, say
from tests.helpers.live_page import rows
from tests.helpers.network_gate import NetworkGate
from tests.helpers.open_stream import OpenStream
from tests.helpers.running_collector import CHROME, ORIGIN, view, wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.shop import Shop, open_shops
from tests.helpers.signed_in import PASSWORD, make_account, session_cookie

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ANN, BOB = "127.0.0.5", "127.0.0.6"
"""Two visitors: addresses of this machine that no proxy has."""
EMAIL = "ann@shop.example"
KEYS = [f"shop{number}" for number in range(20)]
PROXIES: dict[str, PrepareProxy] = {"nginx": nginx, "caddy": caddy}
PATHS = ["", "/monitor"]
KINDS = [(name, below) for name in PROXIES for below in PATHS]

_keys = cycle(KEYS)


@dataclass
class ProxiedProcesses:
    """The collector and the dashboard of one installation, and how its proxy is to reach them."""

    place: ProxiedPlace
    collector: CollectorProcess
    engine: Engine
    account: Account
    make_shop: Callable[[str], Shop]

    def metrics(self) -> str:
        """What the collector tells this machine, past the proxy."""
        return httpx.get(f"http://127.0.0.1:{self.place.collector_port}/metrics").text


@pytest.fixture(scope="module", params=PATHS, ids=["root", "path"])
def processes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedProcesses]:
    folder = tmp_path_factory.mktemp("processes")
    place = ProxiedPlace(request.param)
    settings = {
        "MONITOR_PUBLIC_URL": place.url,
        "MONITOR_DASHBOARD_URL": place.url,
        "MONITOR_TRUSTED_PROXIES": "127.0.0.1",
    }
    collector = CollectorProcess(folder, KEYS, "", 1, MONITOR_RATE_LIMIT="5/s burst 20", **settings)
    collector.port = place.collector_port
    engine = open_database(collector.url)
    account = make_account(engine, email=EMAIL)
    gate = NetworkGate(0, collector.port)
    gate.url = place.url
    below = place.below.strip("/")
    collector.start()
    try:
        with (
            running_dashboard(
                collector.url, place.dashboard_port, below, has_collector=False, **settings
            ),
            open_shops(gate, collector.database) as make_shop,
        ):
            yield ProxiedProcesses(place, collector, engine, account, make_shop)
    finally:
        collector.stop()
        engine.dispose()


@pytest.fixture(scope="module", params=PROXIES)
def deployed(
    request: pytest.FixtureRequest,
    processes: ProxiedProcesses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ProxiedProcesses]:
    """Both processes behind a proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    commands = PROXIES[request.param](folder, processes.place)
    with running_proxy(folder, commands, processes.place):
        yield processes


@pytest.fixture
def shop(deployed: ProxiedProcesses) -> Shop:
    """A website that no other test has."""
    return deployed.make_shop(next(_keys))


@pytest.fixture
def page(make_context: Callable[..., BrowserContext]) -> Page:
    return make_context(ignore_https_errors=True).new_page()


def beacon(client: httpx.Client, key: str = KEYS[-1], **headers: str) -> httpx.Response:
    """A visitor's first beacon."""
    body = {"v": 1, "k": key, "s": "a1b2c3d4e5f6g7h8", "t": "tab00001", "b": [view()]}
    sent = {"Origin": ORIGIN, "User-Agent": CHROME, **headers}
    return client.post("/v1/beacon", content=json.dumps(body), headers=sent)


def test_page_is_drawn_for_who_signs_in(deployed: ProxiedProcesses, page: Page, shop: Shop) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    visitor = page.context.new_page()
    visitor.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.goto(f"{deployed.place.url}/?site={shop.key}")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(rows(page)).to_have_count(1, timeout=60_000)
    stream = f"{deployed.place.url}/_stcore/stream".replace("https", "wss")
    assert {url.partition("?")[0] for url in sockets} == {stream}
    [cookie] = [each for each in page.context.cookies() if each.get("name") == SESSION_COOKIE]
    assert (cookie.get("secure"), cookie.get("path")) == (True, f"{deployed.place.below}/")


def test_chat_is_a_stream_that_ends_with_its_page(
    deployed: ProxiedProcesses, page: Page, shop: Shop
) -> None:
    polls: list[str] = []
    page.on("request", lambda asked: polls.append(asked.url) if "/poll" in asked.url else None)
    agent = AgentAtWork(deployed.collector.database)
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    # The script asks by polls once a stream has brought nothing for 6 seconds.
    page.wait_for_timeout(8_000)
    agent.say(conversation, "Still there?")
    dialog.until_lines("Can I help?", "Hello", "Hello again", "Still there?")
    assert polls == []
    assert "monitor_chat_streams 1.0" in deployed.metrics()
    page.close()
    wait_for(lambda: "monitor_chat_streams 0.0" in deployed.metrics())
    agent.close()


def test_dashboards_streams_come_at_once(deployed: ProxiedProcesses, shop: Shop) -> None:
    cookie = session_cookie(deployed.engine, deployed.account)
    cookies = {SESSION_COOKIE: cookie}
    with deployed.place.client(cookies=cookies) as client, deployed.place.client(BOB) as visitor:
        wait_for(lambda: client.get("/").status_code == 200)
        changes, agents = OpenStream(client, "/changes"), OpenStream(client, "/agent/stream")
        wait_for(lambda: changes.events and agents.events)
        before = len(changes.events)
        assert beacon(visitor, shop.key).is_success
        wait_for(lambda: len(changes.events) > before)
        assert not changes.is_over
        assert not agents.is_over
        with writing(deployed.engine) as db:
            end_sessions(db, deployed.account.id)
        wait_for(lambda: changes.is_over and agents.is_over)


def test_visitor_is_known_by_their_own_address_alone(deployed: ProxiedProcesses) -> None:
    with deployed.place.client(ANN) as ann, deployed.place.client(BOB) as bob:
        forged = ({"X-Forwarded-For": f"198.51.100.{number}"} for number in count())
        statuses = (beacon(ann, **next(forged)).status_code for _ in range(250))
        assert 429 in statuses
        assert beacon(bob).is_success


def test_script_comes_zipped_and_is_kept(deployed: ProxiedProcesses) -> None:
    with deployed.place.client() as client:
        script = client.get("/embed/visitor-monitor.js", headers={"Accept-Encoding": "gzip"})
    assert script.status_code == 200
    assert script.headers["Content-Encoding"] == "gzip"
    assert "max-age" in script.headers["Cache-Control"]
    assert script.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("name", ["metrics", "readyz", "healthz"])
@pytest.mark.parametrize("way", ["/{}", "/v1/../{}", "/v1/%2e%2e/{}", "//{}", "/embed/..%2f{}"])
def test_collector_tells_strangers_nothing_of_itself(
    deployed: ProxiedProcesses, name: str, way: str
) -> None:
    with deployed.place.client() as client:
        for below in {deployed.place.below, ""}:
            path = below + way.format(name)
            url = httpx.URL(deployed.place.origin).copy_with(raw_path=path.encode())
            answer = client.get(url)
            assert answer.status_code in (401, 403, 404), path
            assert "monitor_" not in answer.text


def test_what_is_too_large_ends_at_the_proxy(deployed: ProxiedProcesses) -> None:
    with deployed.place.client() as client:
        assert client.post("/v1/beacon", content=b" " * 200_000).status_code == 413


@pytest.mark.parametrize(("proxy", "below"), KINDS)
def test_files_are_taken_without_a_warning(tmp_path: Path, proxy: str, below: str) -> None:
    said = checked(PROXIES[proxy](tmp_path, ProxiedPlace(below)))
    assert not re.search(r"\bwarn", said)


@pytest.mark.parametrize(("proxy", "below"), [("nginx", ""), ("caddy", ""), ("caddy", "/monitor")])
def test_plain_http_leads_to_https(tmp_path: Path, proxy: str, below: str) -> None:
    place = ProxiedPlace(below)
    with (
        running_proxy(tmp_path, PROXIES[proxy](tmp_path, place), place),
        place.client() as client,
    ):
        answer = client.get(f"http://{place.host}:{place.http_port}/sites?a=b")
    assert answer.status_code == 308
    led = httpx.URL(answer.headers["Location"])
    assert (led.scheme, led.host, led.raw_path) == ("https", place.host, b"/sites?a=b")


@pytest.mark.parametrize(("proxy", "below"), KINDS)
def test_no_log_keeps_the_address_of_a_visitor(tmp_path: Path, proxy: str, below: str) -> None:
    place = ProxiedPlace(below)
    commands = PROXIES[proxy](tmp_path, place)
    with running_proxy(tmp_path, commands, place), place.client(ANN) as visitor:
        assert beacon(visitor).status_code == 502  # nothing is behind it
        assert visitor.get("/sign-in/link?secret=of-a-link").status_code == 502
    log = "".join(file.read_text("utf-8") for file in commands.logs if file.exists())
    assert ANN not in log
    assert CHROME not in log
    assert "of-a-link" not in log
