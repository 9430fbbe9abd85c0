"""Who gets through the gate, and what everybody else is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import text
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from core.accounts.accounts import limit_account, remove_account, set_account
from core.accounts.identity import WHOEVER_IS_HERE, Identity, Role
from core.accounts.links import make_link
from core.accounts.sessions import ENDS_AFTER, end_session, list_sessions, session_id
from core.database import open_database, reading, writing
from core.settings import settings
from pages.server import open_connections
from pages.server.app_files import APP_FILES
from pages.server.gate import Gate
from pages.server.session_book import SESSION_COOKIE, signed
from tests.helpers.database_away import database_away
from tests.helpers.event_loop import run
from tests.helpers.signed_in import make_account, session_cookie
from tests.helpers.stored_texts import every_text
from tests.pages.conftest import Database, age_snapshots, use_database

PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
OWN = {"Origin": "http://localhost:8501"}


@dataclass
class Asked:
    """What the gate answered, and what it has let through."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: str = ""
    served: Scope | None = None

    @property
    def identity(self) -> Identity | None:
        assert self.served is not None, self
        return self.served["state"]["identity"]


def ask(path: str = "/", **how: Any) -> Asked:
    """Ask once, as `ask_async`."""
    return run(ask_async(path, **how))


async def ask_async(
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "GET",
    query: str = "",
    server: str = "127.0.0.1",
    host: str | None = "localhost:8501",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    cookie: str = "",
) -> Asked:
    asked = Asked()

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        asked.served = scope
        if kind == "http":
            await PlainTextResponse("served")(scope, receive, send)
        else:
            await send({"type": "websocket.accept"})

    named = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if host is not None:
        named.insert(0, ("Host", host))
    if cookie:
        named.append(("Cookie", f"other=1; {SESSION_COOKIE}={cookie}"))
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "server": (server, 8501),
        "client": ("127.0.0.1", 40_000),
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named],
        **({"method": method} if kind == "http" else {}),
    }

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            asked.status = message["status"]
            asked.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        elif message["type"] == "http.response.body":
            asked.body += message["body"].decode()
        else:
            asked.status = {"websocket.accept": 101, "websocket.close": 403}[message["type"]]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await Gate(served)(scope, receive, send)
    return asked


@pytest.fixture
def cookie(database: Database) -> str:
    """The cookie of an admin's session."""
    return session_cookie(database.engine, make_account(database.engine))


@pytest.fixture
def dashboard_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", "https://monitor.example")
    settings.cache_clear()
    yield
    settings.cache_clear()


# ---- while nobody has an account


@pytest.mark.parametrize(
    "how",
    [
        {"server": "192.168.1.5"},
        {"server": "0.0.0.0"},
        {"host": "evil.example"},
        {"host": "192.168.1.5:8501"},
        {"host": None},
        {"headers": {"X-Forwarded-For": "192.0.2.1"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"headers": [("Host", "localhost:8501")]},
    ],
)
def test_without_accounts_only_this_machine_is_served(
    database: Database, how: dict[str, Any]
) -> None:
    refused = ask("/", **how)
    assert (refused.status, refused.served) == (403, None)
    assert "python -m core agent add" in refused.body
    assert ask("/", kind="websocket", **how).served is None


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_without_accounts_whoever_is_here_may_do_everything(database: Database, host: str) -> None:
    assert ask("/", host=host).identity == WHOEVER_IS_HERE


def test_somebody_elsewhere_reads_on_a_page_how_to_make_the_first_account(
    database: Database,
) -> None:
    refused = ask("/", server="192.168.1.5", headers=PAGE)
    assert refused.headers["content-type"].startswith("text/html")
    assert "python -m core agent add" in refused.body


# ---- once there is an account


def test_whoever_has_a_session_gets_in_from_everywhere(
    database: Database, cookie: str, dashboard_url: None
) -> None:
    for how in ({"server": "192.168.1.5", "host": "192.168.1.5:8501"}, {"host": "monitor.example"}):
        identity = ask("/", cookie=cookie, headers={"X-Forwarded-For": "192.0.2.1"}, **how).identity
        assert identity is not None and identity.role == Role.ADMIN and identity.is_signed_in


def test_a_page_leads_to_the_sign_in_and_back(database: Database, cookie: str) -> None:
    asked = ask("/chats", query="site=tea&x=%2F", headers=PAGE)
    assert asked.status == 303
    assert asked.headers["location"] == "/sign-in?next=%2Fchats%3Fsite%3Dtea%26x%3D%252F"
    assert asked.headers["cache-control"] == "no-store"
    assert ask("/", headers={"Accept": "text/html"}).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    "path, headers",
    [("/changes", {"Accept": "text/event-stream"}), ("/anything", {}), ("/", {"Accept": "*/*"})],
)
def test_whatever_else_is_asked_without_a_session_is_refused(
    database: Database, cookie: str, path: str, headers: dict[str, str]
) -> None:
    assert ask(path, headers=headers).status == 401


def test_a_websocket_needs_a_session(database: Database, cookie: str) -> None:
    assert ask("/_stcore/stream", kind="websocket", headers=OWN).served is None
    assert ask("/_stcore/stream", kind="websocket", headers=OWN, cookie=cookie).status == 101


@pytest.mark.parametrize(
    "path, method",
    [
        ("/sign-in", "GET"),
        ("/sign-in", "POST"),
        ("/sign-in/link", "GET"),
        ("/sign-in/oidc", "GET"),
        ("/sign-in/oidc/callback", "GET"),
        ("/sign-out", "POST"),
        ("/_stcore/health", "GET"),
        *((path, "GET") for path in APP_FILES),
    ],
)
def test_signing_in_and_out_and_the_apps_files_are_open(
    database: Database, cookie: str, path: str, method: str
) -> None:
    assert ask(path, method=method, headers=OWN).identity is None


def test_no_other_spelling_of_an_open_path_is_open(database: Database, cookie: str) -> None:
    for path in (
        *("/sign-in/../agent/stream", "/sign-in/./x", "/sign-in//x", "//sign-in", "/sign-in/.."),
        *(
            "/sign-in\\..\\agent",
            "/sign-in/%2e%2e/agent",
            "/sign-in/\x00",
            "/sign-in;x",
            "/Sign-in",
        ),
        *("/sign-in/", "/sign-in/x", "/sign-in/link/x", "/sign-in/static/js/x.js"),
        *("/sign-inside", "/x/sign-in", "/_stcore/health/", "/_stcore/health/x", "/sign-out/x"),
        "sign-in",
    ):
        assert ask(path).served is None, path


def test_an_open_path_is_not_open_to_a_websocket(database: Database, cookie: str) -> None:
    assert ask("/sign-in", kind="websocket", headers=OWN).served is None


def test_only_admins_read_the_metrics(database: Database, cookie: str) -> None:
    agent = session_cookie(database.engine, make_account(database.engine, role=Role.AGENT))
    assert ask("/_stcore/metrics", cookie=agent).status == 403
    assert ask("/_stcore/metrics", cookie=cookie).status == 200


def test_below_a_path_only_what_is_below_it_is_open(
    database: Database, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = session_cookie(database.engine, make_account(database.engine, role=Role.AGENT))
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/shop/team/"}.get)
    for path in ("/shop/team/sign-in", "/shop/team/sign-in/link", "/shop/team/_stcore/health"):
        assert ask(path).status == 200, path
    for path in ("/sign-in", "/shop/sign-in", "/_stcore/health", "/shop/team", "/shop/team/"):
        assert ask(path).status == 401, path
    assert ask("/shop/team/", headers=PAGE).headers["location"] == "/shop/team/sign-in"
    assert ask("/shop/team/_stcore/metrics", cookie=agent).status == 403


# ---- other sites' pages, with an account and without

STRANGE = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:8502"},
    {"Origin": "http://LOCALHOST:8502"},
    {"Origin": "http://[::1]:8501"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
    [("Origin", "http://localhost:8501"), ("Origin", "http://localhost:8501")],
]


@pytest.mark.parametrize("has_accounts", [False, True])
def test_no_other_sites_page_gets_anything(
    database: Database, request: pytest.FixtureRequest, has_accounts: bool
) -> None:
    cookie = request.getfixturevalue("cookie") if has_accounts else ""
    for headers in STRANGE:
        for path in ("/", "/changes", "/sign-in"):
            assert ask(path, headers=headers, cookie=cookie).status == 403, headers
        opened = ask("/_stcore/stream", kind="websocket", headers=headers, cookie=cookie)
        assert opened.served is None, headers


@pytest.mark.parametrize("path", ["/agent/send", "/sign-in", "/sign-out"])
def test_what_could_change_anything_says_where_it_comes_from(
    database: Database, cookie: str, path: str
) -> None:
    assert ask(path, method="POST", cookie=cookie).status == 403
    assert ask(path, method="POST", cookie=cookie, headers=OWN).status == 200


def test_a_websocket_says_where_it_comes_from(database: Database, cookie: str) -> None:
    assert ask("/_stcore/stream", kind="websocket", cookie=cookie).served is None


def test_a_link_on_another_site_opens_a_page(database: Database, cookie: str) -> None:
    link = {**PAGE, "Sec-Fetch-Site": "cross-site"}
    assert ask("/chats", headers=link, cookie=cookie).status == 200
    assert ask("/chats", headers={**link, **OWN}, method="POST", cookie=cookie).status == 403


def test_nothing_behind_the_gate_learns_of_an_origin(database: Database) -> None:
    served = ask("/_stcore/stream", kind="websocket", headers=OWN).served
    assert served is not None
    assert [name for name, _ in served["headers"]] == [b"host"]


def test_strange_hosts_are_refused_with_an_account_too(
    database: Database, cookie: str, dashboard_url: None
) -> None:
    for host in ("evil.example", "monitor.example.evil.example", None):
        refused = ask("/", host=host, cookie=cookie)
        assert (refused.status, refused.served) == (403, None)
        assert "MONITOR_DASHBOARD_URL" in refused.body


# ---- cookies


def test_no_made_up_cookie_is_a_session(database: Database, cookie: str) -> None:
    token = cookie.rpartition(".")[0]
    forged = [
        token,
        f"{token}.",
        f"{cookie}x",
        signed(token, "another secret"),
        "",
        "é",
        "x" * 9_000,
    ]
    for value in (*forged, session_id(token)):
        assert ask("/x", cookie=value).status == 401, value
    assert ask("/x", cookie=cookie).status == 200


def test_nothing_that_is_stored_of_accounts_is_a_session(database: Database, cookie: str) -> None:
    account = make_account(database.engine)
    with writing(database.engine) as db:
        make_link(db, account.id, datetime.now(UTC))
        [signing] = db.execute(text("SELECT value FROM secret")).scalars()
    stored = every_text(database.engine, "agent", "session", "sign_in_link", "secret")
    assert len(stored) > 10
    for value in stored:
        for made in (value, signed(value, signing)):
            assert ask("/x", cookie=made).status == 401, value
    assert ask("/x", cookie=cookie).status == 200


def test_a_session_that_is_over_lets_nobody_in(database: Database) -> None:
    account = make_account(database.engine)
    old = datetime.now(UTC) - ENDS_AFTER
    assert ask("/x", cookie=session_cookie(database.engine, account, now=old)).status == 401


def test_of_two_cookies_of_the_name_the_one_counts_that_is_a_session(
    database: Database, cookie: str
) -> None:
    other = f"{SESSION_COOKIE}=of-another-dashboard.on-this-host"
    for both in (f"{cookie}; {other}", f"of-another.port; {SESSION_COOKIE}={cookie}"):
        served = ask("/x", cookie=both).served
        assert served is not None
        assert HTTPConnection(served).cookies == {"other": "1", SESSION_COOKIE: cookie}


def test_of_two_sessions_in_one_request_neither_counts(database: Database, cookie: str) -> None:
    stranger = session_cookie(database.engine, make_account(database.engine, "Mallory"))
    both = f"{cookie}; {SESSION_COOKIE}={stranger}"
    assert ask("/x", cookie=both).status == 401
    form = ask("/sign-in", cookie=both).served
    assert form is not None and SESSION_COOKIE not in HTTPConnection(form).cookies


# ---- while the database is away


def test_a_database_that_is_away_throws_nobody_out_and_lets_nobody_in(
    database: Database, cookie: str
) -> None:
    assert ask("/x", cookie=cookie).status == 200
    stranger = session_cookie(database.engine, make_account(database.engine))
    with database_away(database.engine):
        age_snapshots()
        assert ask("/x", cookie=cookie).status == 200
        assert ask("/x", cookie=stranger).status == 401
        assert ask("/x").status == 401


def test_a_database_that_hangs_holds_nobody_else_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    cookie = session_cookie(engine, make_account(engine))
    assert ask("/x", cookie=cookie).status == 200

    async def ask_and_count() -> tuple[Asked, int]:
        asking, turns = asyncio.create_task(ask_async("/x", cookie=cookie)), 0
        while not asking.done():
            await asyncio.sleep(0.02)
            turns += 1
        return await asking, turns

    with engine.begin() as db:
        db.execute(text("LOCK TABLE session IN ACCESS EXCLUSIVE MODE"))
        age_snapshots()
        asked, turns = run(ask_and_count())
        assert asked.status == 200
        assert turns > 10, "the event loop went on meanwhile"
        assert ask("/x", cookie=f"{cookie}x").status == 401
    engine.dispose()
    settings.cache_clear()


def test_a_database_that_was_never_read_leaves_the_pages_to_this_machine(
    database: Database,
) -> None:
    with database_away(database.engine):
        assert ask("/").identity is None
        elsewhere = ask("/", server="192.168.1.5")
        assert (elsewhere.status, elsewhere.served) == (503, None)
        assert "agent add" not in elsewhere.body, "there may be accounts"
        page = ask("/", server="192.168.1.5", headers=PAGE)
        assert (page.status, page.served) == (503, None)
        assert '<meta http-equiv="refresh" content="' in page.body, "it tries again by itself"


def test_where_a_way_to_sign_in_is_set_nobody_gets_in_before_the_database_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"MONITOR_OIDC_{name}", "https://accounts.example")
    settings.cache_clear()
    with database_away(database.engine):
        assert ask("/changes").status == 503
        assert ask("/", headers=PAGE).headers["location"] == "/sign-in"


# ---- what is open


class OpenConnection:
    """A stream or a websocket that stays open until it is ended."""

    def __init__(self, kind: str, cookie: str = "", *, begins: bool = True) -> None:
        self.sent: list[Message] = []
        self._kind, self._cookie, self._begins = kind, cookie, begins
        self.has_tidied_up = False

    async def __aenter__(self) -> OpenConnection:
        self._gate = Gate(self._stay)
        self._serving = asyncio.create_task(self._serve())
        self._is_open = asyncio.Event()
        await self._is_open.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._serving.cancel()

    async def is_over(self) -> bool:
        """Whether it has ended within the five seconds."""
        done, _ = await asyncio.wait((self._serving,), timeout=5)
        return bool(done)

    async def stays(self) -> bool:
        """Whether it is still open after it was looked at again."""
        await self._gate._connections._check()
        await asyncio.sleep(0)
        return not self._serving.done()

    async def _serve(self) -> None:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if self._cookie:
            headers.append((b"cookie", f"{SESSION_COOKIE}={self._cookie}".encode()))
        scope = {
            "type": self._kind,
            "path": "/changes",
            "query_string": b"",
            "server": ("127.0.0.1", 80),
            "headers": headers,
            **({"method": "GET"} if self._kind == "http" else {}),
        }
        await self._gate(scope, self._receive, self._send)

    async def _stay(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        try:
            if self._begins:
                await send(start if self._kind == "http" else {"type": "websocket.accept"})
            self._is_open.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.has_tidied_up = True

    async def _receive(self) -> Message:
        return await asyncio.Event().wait()  # pyright: ignore[reportReturnType]

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_connections, "CHECK_EVERY", 0.1)


CHANGES = {
    "sign-out": lambda db, account, cookie: end_session(db, _id(cookie)),
    "removal": lambda db, account, cookie: remove_account(db, account.id),
    "role": lambda db, account, cookie: set_account(db, account.id, role=Role.VIEWER),
    "sites": lambda db, account, cookie: limit_account(db, account.id, []),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_is_open_ends_with_the_right_to_it(
    database: Database, quick_checks: None, kind: str, change: str
) -> None:
    make_account(database.engine, "The last admin")
    account = make_account(database.engine)
    cookie = session_cookie(database.engine, account)

    async def change_it() -> OpenConnection:
        async with OpenConnection(kind, cookie) as opened:
            with writing(database.engine) as db:
                CHANGES[change](db, account, cookie)
            assert await opened.is_over()
            return opened

    opened = run(change_it())
    assert opened.has_tidied_up
    end = {"http": {"type": "http.response.body", "body": b"", "more_body": False}}
    assert opened.sent[-1] == end.get(kind, {"type": "websocket.close", "code": 1008})


def test_what_is_open_without_accounts_ends_with_the_first_one(
    database: Database, quick_checks: None
) -> None:
    async def add_one() -> bool:
        async with OpenConnection("websocket") as opened:
            make_account(database.engine)
            return await opened.is_over()

    assert run(add_one())


def test_a_poll_that_has_not_been_answered_is_refused(
    database: Database, quick_checks: None, cookie: str
) -> None:
    async def sign_out() -> list[Message]:
        async with OpenConnection("http", cookie, begins=False) as opened:
            with writing(database.engine) as db:
                end_session(db, _id(cookie))
            assert await opened.is_over()
            return opened.sent

    assert run(sign_out())[0]["status"] == 401


def test_what_is_open_stays_while_nothing_changes_and_while_the_database_is_away(
    database: Database, quick_checks: None, cookie: str
) -> None:
    async def wait() -> None:
        async with OpenConnection("http", cookie) as opened:
            make_account(database.engine, "Bea")
            age_snapshots()
            assert await opened.stays()
            with database_away(database.engine):
                age_snapshots()
                assert await opened.stays()

    run(wait())


def test_a_session_in_use_is_noted_as_seen(database: Database, quick_checks: None) -> None:
    account = make_account(database.engine)
    before = datetime.now(UTC) - timedelta(days=3)
    cookie = session_cookie(database.engine, account, now=before)

    async def use_it() -> None:
        async with OpenConnection("websocket", cookie):
            async with asyncio.timeout(5):
                while _seen_at(database, account.id) < before + timedelta(days=2):
                    await asyncio.sleep(0.02)

    run(use_it())


def _seen_at(database: Database, account_id: int) -> datetime:
    with reading(database.engine) as db:
        return list_sessions(db, account_id, datetime.now(UTC))[0].seen_at


def _id(cookie: str) -> str:
    return session_id(cookie.rpartition(".")[0])
