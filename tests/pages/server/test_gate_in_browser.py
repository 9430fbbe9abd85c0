"""The gate in a real browser: pages of other ports get nothing, and an open page follows its account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import delete

from core.accounts.accounts import Account, limit_account, remove_account, set_account
from core.accounts.identity import Role
from core.accounts.sessions import end_sessions
from core.database import writing
from core.tables import Agent, Session
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.running_monitor import answers
from tests.helpers.seed import make_database, make_site, make_visits
from tests.helpers.signed_in import make_account, put_session, session_cookie
from tests.helpers.strange_page import attempt, strange_page

pytestmark = pytest.mark.timeout(300)
ENDS_WITHIN = 60_000
"""Milliseconds, on a machine that is busy: it takes four seconds on one that is not."""

REFUSALS_MEANWHILE = 20
"""How often a page that is signed out is told so before its sign-in page comes, in these tests."""

REFUSED = {
    "websocket": "error",
    "stream": "error",
    "fetch": "TypeError",
    "fetch without CORS": "TypeError",
    "script": "error",
    "image": "error",
}


@pytest.fixture(scope="module")
def engine_and_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    url, engine = make_database(tmp_path_factory.mktemp("gate"))
    make_visits(engine, make_site(engine, key="tea"), 5, now=datetime.now(UTC))
    with running_dashboard(url) as address:
        yield engine, address


@pytest.fixture(scope="module")
def dashboard(engine_and_address: tuple[Any, str]) -> str:
    return engine_and_address[1]


@pytest.fixture
def engine(engine_and_address: tuple[Any, str]) -> Iterator[Any]:
    """The database, which has no account once the test is over, as the dashboard knows."""
    engine, dashboard = engine_and_address
    yield engine
    with writing(engine) as db:
        db.execute(delete(Session))
        db.execute(delete(Agent))
    wait_for(lambda: answers(dashboard))


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    with strange_page() as address:
        yield address


@pytest.fixture
def open_context(
    browser: Browser, dashboard: str, engine: Any
) -> Iterator[Callable[..., BrowserContext]]:
    contexts: list[BrowserContext] = []

    def open_context(account: Account | None = None) -> BrowserContext:
        """A browser; of the account, once the dashboard knows it and its session."""
        context = browser.new_context()
        context.set_default_timeout(60_000)
        contexts.append(context)
        if account:
            put_session(context, dashboard, session_cookie(engine, account))
            asked = f"{dashboard}/_stcore/host-config"
            wait_for(lambda: not answers(asked) and context.request.get(asked).ok)
        return context

    yield open_context
    for context in contexts:
        context.close()


def is_live(page: Page) -> None:
    """Wait until the page has drawn its visitors."""
    expect(page.get_by_role("heading", name="Visitor Monitor").first).to_be_visible()
    expect(page.get_by_text("Updated")).to_be_visible()


def has_loaded(page: Page) -> None:
    """Wait until the scripts of every page are there."""
    page.wait_for_function("Symbol.for('visitor-monitor-chats') in window")


@pytest.mark.long
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_page_of_another_port_gets_nothing(
    open_context: Any, engine: Any, dashboard: str, stranger: str, is_signed_in: bool
) -> None:
    context = open_context(make_account(engine) if is_signed_in else None)
    own = context.new_page()
    own.goto(dashboard)
    is_live(own)
    for strange in (stranger, stranger.replace("127.0.0.1", "localhost")):
        page = context.new_page()
        page.goto(strange)
        assert {name: attempt(page, dashboard, name) for name in REFUSED} == REFUSED
    assert {name: attempt(own, dashboard, name) for name in ("websocket", "stream", "fetch")} == {
        "websocket": "open",
        "stream": "hello",
        "fetch": "basic 200",
    }


@pytest.mark.long
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_page_of_another_port_neither_frames_it_nor_posts_to_it(
    open_context: Any, engine: Any, dashboard: str, stranger: str, is_signed_in: bool
) -> None:
    page = open_context(make_account(engine) if is_signed_in else None).new_page()
    page.goto(stranger)
    with page.expect_response(f"{dashboard}/") as framed:
        page.set_content(f'<iframe src="{dashboard}/"></iframe>')
    assert framed.value.status == 403
    for path in ("sign-out", "sign-in", "agent/send"):
        page.goto(stranger)
        page.set_content(
            f'<form method="post" action="{dashboard}/{path}"><button>Go</button></form>'
        )
        with page.expect_response(f"{dashboard}/{path}") as response:
            page.get_by_role("button").click()
        assert response.value.status == 403


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_foreign_name_that_leads_to_it_shows_nothing(
    open_context: Any, engine: Any, dashboard: str, is_signed_in: bool
) -> None:
    page = open_context(make_account(engine) if is_signed_in else None).new_page()
    # Every name below localhost leads to this machine.
    foreign = dashboard.replace("127.0.0.1", "evil.localhost")
    answer = page.goto(f"{foreign}/_stcore/host-config")
    assert answer is not None and answer.status == 403
    refused = {"websocket": "error", "stream": "error", "fetch": "basic 403"}
    assert {name: attempt(page, foreign, name) for name in refused} == refused


@pytest.mark.long
def test_a_link_on_another_page_opens_the_dashboard(
    open_context: Any, engine: Any, dashboard: str, stranger: str
) -> None:
    page = open_context(make_account(engine)).new_page()
    page.goto(stranger)
    page.set_content(f'<a href="{dashboard}/">Visitors</a>')
    page.get_by_role("link").click()
    is_live(page)


@pytest.mark.parametrize("path", ["", "sites"])
@pytest.mark.parametrize(
    "ending",
    [
        lambda db, account: end_sessions(db, account.id),
        lambda db, account: remove_account(db, account.id),
    ],
    ids=["signed out", "removed"],
)
def test_an_open_page_becomes_the_sign_in_page(
    open_context: Any, engine: Any, dashboard: str, path: str, ending: Any
) -> None:
    make_account(engine, "The last admin")
    account = make_account(engine, role=Role.VIEWER)
    page = open_context(account).new_page()
    page.goto(f"{dashboard}/{path}?site=tea")
    has_loaded(page)
    with writing(engine) as db:
        ending(db, account)
    expect(page).to_have_url(re.compile("/sign-in[?]next="), timeout=ENDS_WITHIN)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.long
def test_a_page_that_has_no_script_yet_becomes_the_sign_in_page(
    open_context: Any, engine: Any, dashboard: str
) -> None:
    account = make_account(engine)
    page = open_context(account).new_page()
    page.route("**/scripts/*", lambda route: route.abort())
    page.goto(f"{dashboard}/?site=tea")
    expect(page.get_by_role("heading", name="Visitor Monitor")).to_be_visible(timeout=ENDS_WITHIN)
    with writing(engine) as db:
        end_sessions(db, account.id)
    page.unroute("**/scripts/*")
    expect(page).to_have_url(re.compile("/sign-in[?]next="), timeout=ENDS_WITHIN)


@pytest.mark.long
@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_page_whose_sign_in_page_is_slow_asks_for_it_once(
    open_context: Any, engine: Any, dashboard: str, has_scripts: bool
) -> None:
    account = make_account(engine)
    page = open_context(account).new_page()
    if not has_scripts:
        page.route("**/scripts/*", lambda route: route.abort())
    page.goto(f"{dashboard}/?site=tea")
    expect(page.get_by_role("heading", name="Visitor Monitor")).to_be_visible(timeout=ENDS_WITHIN)
    if has_scripts:
        has_loaded(page)
    leaving: list[Route] = []
    page.route(f"{dashboard}/?site=tea", lambda route: leaving.append(route))
    with writing(engine) as db:
        end_sessions(db, account.id)
    page.unroute("**/scripts/*")
    meanwhile = 0
    while meanwhile < REFUSALS_MEANWHILE:
        page.wait_for_event("response", lambda answer: answer.status == 401, timeout=ENDS_WITHIN)
        meanwhile += len(leaving) > 0  # Streamlit's own requests may be refused before any of ours
    assert len(leaving) == 1
    leaving[0].continue_()
    expect(page).to_have_url(re.compile("/sign-in[?]next="), timeout=ENDS_WITHIN)


@pytest.mark.long
def test_an_open_page_asks_to_sign_in_once_there_is_an_account(
    open_context: Any, engine: Any, dashboard: str
) -> None:
    page = open_context().new_page()
    page.goto(dashboard)
    has_loaded(page)
    make_account(engine)
    expect(page).to_have_url(re.compile("/sign-in"), timeout=ENDS_WITHIN)


@pytest.mark.long
def test_an_open_page_goes_on_with_its_new_role(
    open_context: Any, engine: Any, dashboard: str
) -> None:
    make_account(engine, "The last admin")
    account = make_account(engine)
    page = open_context(account).new_page()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(dashboard)
    is_live(page)
    for change in (
        lambda db: set_account(db, account.id, role=Role.VIEWER),
        lambda db: limit_account(db, account.id, []),
    ):
        before = len(sockets)
        with page.expect_event("websocket", timeout=ENDS_WITHIN), writing(engine) as db:
            change(db)
        expect(page.get_by_test_id("stConnectionStatus")).to_have_count(0)
        assert len(sockets) > before and "/sign-in" not in page.url
