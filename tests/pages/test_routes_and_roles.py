"""Everything that the dashboard serves, by the role that it takes: a route that is not in the table fails.

The real process, asked over HTTP and by a real websocket.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import streamlit as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.accounts.accounts import remove_account
from core.accounts.identity import Role
from core.accounts.sessions import ENDS_AFTER
from core.database import writing
from pages.server.access import MAY_NOT
from pages.server.session_book import SESSION_COOKIE, signed
from tests.helpers.dashboard_chats import visitor_opens
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage

pytestmark = pytest.mark.timeout(240)

OPEN = None
VIEWER, AGENT, ADMIN = Role

ROUTES: dict[str, Role | None] = {
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /sign-in/link": OPEN,
    "POST /sign-in/link": OPEN,
    "GET /sign-in/oidc": OPEN,
    "GET /sign-in/oidc/callback": OPEN,
    "POST /sign-out": OPEN,
    "GET /_stcore/health": OPEN,
    "OPTIONS /_stcore/health": VIEWER,
    "GET /app.webmanifest": OPEN,
    "GET /app-icon-192.png": OPEN,
    "GET /app-icon-512.png": OPEN,
    "GET /app-icon-maskable.png": OPEN,
    "GET /changes": VIEWER,
    "GET /scripts/{file}": VIEWER,
    "GET /agent/stream": AGENT,
    "GET /agent/poll": AGENT,
    "GET /agent/conversation": AGENT,
    "POST /agent/send": AGENT,
    "POST /agent/take": AGENT,
    "POST /agent/end": AGENT,
    "POST /agent/read": AGENT,
    "POST /agent/typing": AGENT,
    "GET /agent/colleagues": AGENT,
    "POST /agent/here": AGENT,
    "POST /agent/give": AGENT,
    "POST /agent/note": AGENT,
    "POST /agent/block": AGENT,
    "POST /agent/done": AGENT,
    "POST /agent/mail": AGENT,
    "POST /agent/mail-again": AGENT,
    "GET /_stcore/metrics": ADMIN,
    "OPTIONS /_stcore/metrics": ADMIN,
    "WEBSOCKET /_stcore/stream": VIEWER,
    "GET /_stcore/host-config": VIEWER,
    "GET /media/{file_id:path}": VIEWER,
    "OPTIONS /media/{file_id:path}": VIEWER,
    "PUT /_stcore/upload_file/{session_id}/{file_id}": VIEWER,
    "DELETE /_stcore/upload_file/{session_id}/{file_id}": VIEWER,
    "OPTIONS /_stcore/upload_file/{session_id}/{file_id}": VIEWER,
    "GET /component/{path:path}": VIEWER,
    "OPTIONS /component/{path:path}": VIEWER,
    "GET /_stcore/bidi-components/{path:path}": VIEWER,
    "OPTIONS /_stcore/bidi-components/{path:path}": VIEWER,
    "GET /app/static/{path:path}": VIEWER,
    "OPTIONS /app/static/{path:path}": VIEWER,
    "GET /auth/login": VIEWER,
    "GET /auth/logout": VIEWER,
    "GET /oauth2callback": VIEWER,
    **{
        f"{method} /_stcore/agent/{name}": VIEWER
        for name in ("interact", "openapi.json", "mcp")
        for method in ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
    },
    "GET ": VIEWER,  # the mount of Streamlit's files, which answers to every other path
}

PAGES = {"", "accounts", "chats", "health", "sites", "trends", "visitor", "account"}
"""Their files are for everybody who is signed in; what each draws for whom is in test_roles.py."""


class Answer(StrEnum):
    """What somebody gets."""

    SERVED = "served"
    SIGNED_OUT = "signed out"
    FORBIDDEN = "not their role"


@dataclass(frozen=True)
class Dashboard:
    """A running one, and the cookies of those who come to it."""

    address: str
    cookies: Mapping[str, str]

    def ask(self, method: str, path: str, who: str) -> Answer:
        headers = {"Origin": self.address, "Accept": "*/*"}
        if cookie := self.cookies[who]:
            headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
        if method == "WEBSOCKET":
            return self._connect(path, headers)
        body = b"{}" if method == "POST" else b""
        headers |= {"Content-Type": "application/json"} if body else {}
        with httpx.stream(
            method, f"{self.address}{path}", headers=headers, timeout=40, content=body
        ) as answer:
            if answer.status_code == 401 and path != "/sign-in":
                return Answer.SIGNED_OUT
            if answer.status_code == 403 and MAY_NOT in answer.read().decode():
                return Answer.FORBIDDEN
            return Answer.SERVED

    def _connect(self, path: str, headers: dict[str, str]) -> Answer:
        headers.pop("Accept")
        try:
            with connect(
                f"{self.address.replace('http', 'ws')}{path}",
                additional_headers=headers,
                subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]
            ):
                return Answer.SERVED
        except InvalidStatus as refused:
            assert refused.response.status_code == 403
            return Answer.SIGNED_OUT

    def send(self, request: str) -> bytes:
        """What comes first for a request as it is written, which no client tidies up."""
        place = urlsplit(self.address)
        with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
            connection.sendall(request.encode())
            return connection.recv(65_536)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    url, engine = make_database(tmp_path_factory.mktemp("roles"))
    visitor_opens(engine, make_site(engine, key="tea"), "visit1")
    accounts = {role: make_account(engine, role.word, role, password="") for role in Role}
    gone = make_account(engine, "Gone", password="")
    sessions = {role.word: session_cookie(engine, account) for role, account in accounts.items()}
    removed = session_cookie(engine, gone)
    old = datetime.now(UTC) - ENDS_AFTER
    strangers = {
        "nobody": "",
        "forged": signed("made up", "another secret"),
        "unsigned": sessions["admin"].rpartition(".")[0],
        "expired": session_cookie(engine, accounts[Role.ADMIN], now=old),
        "removed": removed,
    }
    with running_dashboard(url) as address:
        dashboard = Dashboard(address, {**strangers, **sessions})
        assert dashboard.ask("GET", "/changes", "removed") == Answer.SERVED
        with writing(engine) as db:
            remove_account(db, gone.id)
        wait_for(lambda: dashboard.ask("GET", "/changes", "removed") == Answer.SIGNED_OUT)
        yield dashboard


STRANGERS = ("nobody", "forged", "unsigned", "expired", "removed")
FOUND_BY = """
import json, app
routes = app.app._build_starlette_app().routes
print(json.dumps([[r.path, sorted(getattr(r, "methods", None) or [type(r).__name__])] for r in routes]))
"""


def test_every_route_is_in_the_table() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOUND_BY],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    kinds = {"WebSocketRoute": "WEBSOCKET", "Mount": "GET"}
    found = {
        f"{kinds.get(method, method)} {path}"
        for path, methods in json.loads(done.stdout.splitlines()[-1])
        for method in methods
        if method != "HEAD"
    }
    assert found == ROUTES.keys()


def test_every_page_is_in_the_table(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[Any] = []
    navigation = st.navigation
    monkeypatch.setattr(
        st, "navigation", lambda pages, **how: offered.extend(pages) or navigation(pages, **how)
    )
    make_site(database.engine)
    open_page()
    assert {page.url_path for page in offered} == PAGES


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_is_for_its_role_and_those_above(dashboard: Dashboard, route: str) -> None:
    least = ROUTES[route]
    method, path = route.split(" ")
    path = "/" + "/".join("x" if "{" in part else part for part in path.split("/")[1:])
    who = {**dict.fromkeys(STRANGERS), **{role.word: role for role in Role}}
    if least is OPEN:
        who = dict.fromkeys(STRANGERS)
    answers = {name: dashboard.ask(method, path, name) for name in who}
    assert answers == {name: _expected(least, role) for name, role in who.items()}


def _expected(least: Role | None, role: Role | None) -> Answer:
    if least is None:
        return Answer.SERVED
    if role is None:
        return Answer.SIGNED_OUT
    return Answer.SERVED if role >= least else Answer.FORBIDDEN


def test_a_page_and_whatever_nobody_thought_of_needs_a_session(dashboard: Dashboard) -> None:
    files = ("static/js/x.js", "sign-in/static/js/x.js", "favicon.png", "robots.txt")
    for path in (*PAGES, "nobody/thought/of", "sign-in/x", *files):
        answers = {name: dashboard.ask("GET", f"/{path}", name) for name in dashboard.cookies}
        expected = dict.fromkeys(STRANGERS, Answer.SIGNED_OUT)
        assert answers == expected | {role.word: Answer.SERVED for role in Role}, path


def test_a_page_leads_whoever_is_signed_out_to_the_sign_in(dashboard: Dashboard) -> None:
    for page in PAGES:
        answer = httpx.get(f"{dashboard.address}/{page}", headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "target",
    [
        *("/sign-in/../changes", "/sign-in/%2e%2e/changes", "/sign-in/..%2fchanges"),
        *("/sign-in%2f..%2fchanges", "/sign-in/%252e%252e/changes", "/sign-in/.%2e/changes"),
        *("/sign-in/%5c..%5cchanges", "/sign-in/%00/../changes", "//changes", "/./changes"),
        *("/sign-in;/../changes", "/%2fsign-in/../changes", "/changes%2f..%2fsign-in"),
        *("http://127.0.0.1/changes", "http://127.0.0.1/sign-in/../changes", "/CHANGES/../changes"),
        *("/_stcore/health/../stream", "/_stcore/health%2f..%2fmetrics", "/changes#/sign-in"),
    ],
)
def test_no_encoding_leads_from_an_open_path_to_a_closed_one(
    dashboard: Dashboard, target: str
) -> None:
    answer = dashboard.send(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.split(b" ")[1] in (b"400", b"401", b"404"), answer


def test_two_hosts_are_none(dashboard: Dashboard) -> None:
    for hosts in (("127.0.0.1", "evil.example"), ("evil.example", "127.0.0.1"), ("evil.example",)):
        lines = "".join(f"Host: {host}\r\n" for host in hosts)
        cookie = f"Cookie: {SESSION_COOKIE}={dashboard.cookies['admin']}\r\n"
        answer = dashboard.send(f"GET /x HTTP/1.1\r\n{lines}{cookie}\r\n")
        assert answer.split(b" ")[1] in (b"400", b"403"), answer
