"""A trusted proxy that says by a header who is there: a real nginx before a real dashboard, below a path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select
from sqlmodel import col
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from core.accounts.accounts import find_by_email, remove_account
from core.database import reading, writing
from core.moment import utc_now
from core.tables import Session
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.live_page import rows
from tests.helpers.nginx import (
    HEADER,
    NGINX_ADDRESS,
    PROXY_PASSWORD,
    RunningNginx,
    running_nginx,
)
from tests.helpers.open_stream import OpenStream
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visits

ANN, BOB = "ann@shop.example", "bob@shop.example"
CID, DAN = "cid@shop.example", "dan@shop.example"
PAGE = {"Accept": "text/html"}
ENDS_WITHIN = 10

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    url, engine = make_database(tmp_path_factory.mktemp("proxy"))
    make_visits(engine, make_site(engine, key="tea", name="Tea shop"), 3, now=utc_now())
    return url, engine


@pytest.fixture(scope="module")
def engine(database: Any) -> Engine:
    return database[1]


@pytest.fixture(scope="module")
def dashboard(database: Any) -> Iterator[str]:
    """The dashboard's own address; it believes nginx, which speaks from another one."""
    with running_dashboard(
        database[0],
        below="monitor",
        MONITOR_SIGN_IN_HEADER=HEADER,
        MONITOR_TRUSTED_PROXIES=NGINX_ADDRESS,
    ) as address:
        yield address


@pytest.fixture(scope="module")
def nginx(dashboard: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNginx]:
    origin = f"http://{urlsplit(dashboard).netloc}"
    with running_nginx(tmp_path_factory.mktemp("nginx"), origin, ANN, BOB, CID, DAN) as nginx:
        yield nginx


@pytest.fixture
def ask() -> Iterator[Any]:
    """ask(address, person, cookie): a browser there, signed in at the proxy as this person."""
    clients: list[httpx.Client] = []

    def ask(address: str, person: str = "", cookie: str = "", **options: Any) -> httpx.Client:
        client = httpx.Client(
            base_url=f"{address}/monitor",
            auth=(person, PROXY_PASSWORD) if person else None,
            cookies={SESSION_COOKIE: cookie} if cookie else None,
            **options,
        )
        clients.append(client)
        return client

    yield ask
    for client in clients:
        client.close()


@pytest.fixture
def from_nginx(dashboard: str) -> Iterator[httpx.Client]:
    """What an nginx with a fault of its own could send."""
    transport = httpx.HTTPTransport(local_address=NGINX_ADDRESS)
    with httpx.Client(base_url=dashboard, transport=transport, headers=PAGE) as client:
        yield client


def ways_of(engine: Engine, email: str) -> list[str]:
    """How the sessions of this account have begun."""
    with reading(engine) as db:
        account = find_by_email(db, email)
        if account is None:
            return []
        sessions = select(col(Session.way)).where(col(Session.agent_id) == account.id)
        return list(db.execute(sessions).scalars())


def websocket_status(nginx: RunningNginx, client: httpx.Client, person: str = ANN) -> int:
    """What the websocket of the pages answers with this browser's cookie: 101 when it opens."""
    name, origin = client.cookies.get(SESSION_COOKIE), nginx.address
    credentials = f"{person.replace('@', '%40')}:{PROXY_PASSWORD.replace(' ', '%20')}@"
    address = origin.replace("http://", f"ws://{credentials}") + "/monitor/_stcore/stream"
    try:
        with connect(
            address,
            origin=Origin(origin),
            additional_headers={"Cookie": f"{SESSION_COOKIE}={name}"},
        ):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_first_page_begins_a_session_and_the_next_ones_use_it(
    nginx: RunningNginx, engine: Engine, ask: Any
) -> None:
    client = ask(nginx.address, ANN)
    first = client.get("/", headers=PAGE)
    next_one = client.get("/", headers=PAGE)

    assert (first.status_code, next_one.status_code) == (200, 200)
    assert SESSION_COOKIE in first.cookies
    assert SESSION_COOKIE not in next_one.cookies
    assert ways_of(engine, ANN) == ["proxy"]
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "path=/monitor/;" in cookie
    assert websocket_status(nginx, client) == 101


def test_only_a_page_begins_a_session(nginx: RunningNginx, engine: Engine, ask: Any) -> None:
    client = ask(nginx.address, DAN)

    assert client.get("/changes").status_code == 401
    assert client.get("/", headers={"Accept": "application/json"}).status_code == 401
    assert websocket_status(nginx, client, DAN) == 403
    assert ways_of(engine, DAN) == []


def test_header_that_a_browser_sends_through_the_proxy_names_nobody(
    nginx: RunningNginx, engine: Engine, ask: Any
) -> None:
    with reading(engine) as db:
        assert find_by_email(db, "eve@shop.example") is None
    ask(nginx.address, ANN).get("/", headers={**PAGE, HEADER: "eve@shop.example"})
    by_open = ask(nginx.open_address).get("/", headers={**PAGE, HEADER: ANN})

    assert by_open.status_code == 401
    assert ways_of(engine, "eve@shop.example") == []


@pytest.mark.parametrize(
    "forged",
    [
        {HEADER: ANN},
        {HEADER: ANN, "X-Forwarded-For": NGINX_ADDRESS},
        {
            HEADER: ANN,
            "X-Forwarded-For": f"{NGINX_ADDRESS}:80",
            "Forwarded": f"for={NGINX_ADDRESS}",
        },
        {HEADER: ANN, "X-Real-IP": NGINX_ADDRESS},
    ],
)
def test_header_of_anybody_else_counts_for_nothing(
    dashboard: str, nginx: RunningNginx, ask: Any, forged: dict[str, str]
) -> None:
    answer = httpx.get(dashboard + "/", headers={**PAGE, **forged})
    assert (answer.status_code, answer.headers["location"]) == (303, "/monitor/sign-in")

    cookie = ask(nginx.address, ANN).get("/", headers=PAGE).cookies[SESSION_COOKIE]
    stolen = {"Cookie": f"{SESSION_COOKIE}={cookie}"}
    assert httpx.get(dashboard + "/changes", headers={**stolen, **forged}).status_code == 401
    there = httpx.get(dashboard + "/sign-in", headers={**PAGE, **stolen, **forged})
    assert there.status_code == 200


def test_session_of_the_proxy_is_nobodys_where_the_proxy_names_nobody(
    nginx: RunningNginx, ask: Any
) -> None:
    cookie = ask(nginx.address, ANN).get("/", headers=PAGE).cookies[SESSION_COOKIE]
    client = ask(nginx.open_address, cookie=cookie)
    page = client.get("/", headers=PAGE)

    assert page.status_code == 401
    assert "names nobody" in page.text
    assert client.get("/changes").status_code == 401


def test_another_person_at_the_same_browser_gets_a_session_of_their_own(
    nginx: RunningNginx, engine: Engine, ask: Any
) -> None:
    cookie = ask(nginx.address, CID).get("/", headers=PAGE).cookies[SESSION_COOKIE]
    client = ask(nginx.address, BOB, cookie)
    assert client.get("/changes").status_code == 401
    assert websocket_status(nginx, client, BOB) == 403

    page = client.get("/", headers=PAGE)
    assert page.cookies[SESSION_COOKIE] != cookie
    assert ways_of(engine, BOB) == ["proxy"]
    assert ways_of(engine, CID) == []


@pytest.mark.parametrize(
    "values", [[ANN, ANN], [ANN, BOB], [f"{ANN},{BOB}"], ["ann"], [""], ["j\xf6rg@shop.example"]]
)
def test_header_has_to_be_one_address(from_nginx: httpx.Client, values: list[str]) -> None:
    lines = [(HEADER.encode(), value.encode("latin-1")) for value in values]
    assert from_nginx.get("/", headers=lines).status_code == 401


def test_who_was_removed_is_out_within_seconds_and_does_not_come_back(
    nginx: RunningNginx, engine: Engine, ask: Any
) -> None:
    client = ask(nginx.address, DAN)
    client.get("/", headers=PAGE)
    client.auth = (DAN, PROXY_PASSWORD)
    stream = OpenStream(client, "/changes")
    wait_for(lambda: stream.events, ENDS_WITHIN)
    with writing(engine) as db:
        dan = find_by_email(db, DAN)
        assert dan is not None
        remove_account(db, dan.id)

    wait_for(lambda: stream.is_over, ENDS_WITHIN)
    page = client.get("/", headers=PAGE)
    assert page.status_code == 403
    assert "Your account was removed" in page.text
    assert ways_of(engine, DAN) == []


def test_signing_out_says_that_the_proxy_signs_in_again(nginx: RunningNginx, ask: Any) -> None:
    client = ask(nginx.address, ANN, follow_redirects=True)
    client.get("/", headers=PAGE)
    page = client.post("/sign-out", data={"x": "y"}, headers={"Origin": nginx.address, **PAGE})

    assert page.url.path == "/monitor/sign-in"
    assert "You are signed out." in page.text
    assert "sign out there" in page.text
    assert client.get("/changes").status_code == 401
    assert SESSION_COOKIE in client.get("/", headers=PAGE).cookies


@pytest.mark.parametrize(("proxy", "is_secure"), [(NGINX_ADDRESS, True), ("127.0.0.3", False)])
def test_only_a_trusted_proxy_says_that_browsers_come_by_https(
    dashboard: str, proxy: str, is_secure: bool
) -> None:
    transport = httpx.HTTPTransport(local_address=proxy)
    with httpx.Client(base_url=dashboard, transport=transport) as client:
        answer = client.post(
            "/sign-out",
            data={"x": "y"},
            headers={"X-Forwarded-Proto": "https", "Origin": dashboard.removesuffix("/monitor")},
        )

    assert answer.status_code == 303
    assert ("secure" in answer.headers["set-cookie"].lower()) is is_secure


def test_agent_whom_the_proxy_has_signed_in_sees_the_visitors(
    nginx: RunningNginx, browser: Browser
) -> None:
    credentials: Any = {"username": BOB, "password": PROXY_PASSWORD}
    context = browser.new_context(http_credentials=credentials)
    page = context.new_page()
    page.goto(f"{nginx.address}/monitor/?site=tea")
    expect(rows(page)).to_have_count(3, timeout=60_000)
    context.close()
