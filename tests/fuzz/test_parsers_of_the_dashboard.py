"""What browsers send to the dashboard: each parser gives something usable, or nothing, and never a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from sqlalchemy import Connection, Engine
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope

from core.accounts.accounts import find_by_email, find_by_subject
from core.accounts.identity import WHOEVER_IS_HERE
from core.accounts.links import find_link
from core.accounts.provisioning import Denial, ExternalIdentity
from core.agents import find_agent
from core.chat.search import found_conversations
from core.chat.store import find_conversation
from core.chat.templates import mark_used
from core.database import open_database, reading, writing
from core.frames.journey import visitor_at
from core.sites import add_site, find_site
from core.tables import Site
from pages.live.row_id import visit_of
from pages.live.view import TableView, view_in
from pages.parts.script import joined_script
from pages.server.actions import ACTIONS, perform
from pages.server.caller import Caller
from pages.server.one_session import with_one_session
from pages.server.own_host import is_own_host, is_own_origin
from pages.server.session_book import SESSION_COOKIE, signed, unsigned
from pages.server.session_cookie import next_path
from pages.sign_in.device_cookie import DEVICE_COOKIE, device_of
from pages.sign_in.oidc import identity_in
from pages.sign_in.oidc_attempt import ATTEMPT_COOKIE, attempt_of, begin_attempt
from pages.sign_in.oidc_issuer import claim_at
from pages.sign_in.posted_form import form_post
from tests.fuzz.examples import BYTES, JSON, TEXTS, WHOLE_TEXTS, bodies, examples
from tests.fuzz.test_parsers_of_visitors import HOSTS
from tests.helpers.event_loop import run

SECRET = "secret of this installation"
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
NAMES = ("q", "sort", "page", "status", "context", "source", "browser", "os", "country", "site")
VALUES = TEXTS | st.sampled_from(
    ["Chatting", "Browsing", "Cart", "none", "Other", "-pages", "path", "2", "DE"]
)
PARAMETERS = st.dictionaries(st.sampled_from(NAMES) | TEXTS, VALUES, max_size=6)
COOKIES = BYTES.map(lambda value: value.decode("latin-1"))
SITES = [Site(id=number, key=key, name=key) for number, key in ((1, "tea"), (2, "cups"))]  # pyright: ignore[reportCallIssue]


def request_with(
    headers: list[tuple[bytes, bytes]] | None = None, query: bytes = b"", body: bytes = b""
) -> Request:
    """A request as the server hands it over."""
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query,
        "headers": headers or [],
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


# --- the address


@examples
@given(PARAMETERS)
def test_a_view_stands_in_the_address_as_it_was_read(parameters: dict[str, str]) -> None:
    view = view_in(parameters)
    assert view_in(view.parameters()) == view
    assert view.page >= 0
    assert len(view.search) <= 200
    view.filters()
    for name in ("source", "browser", "os", "country"):
        assert view.cleared(name).page == 0


@examples
@given(
    PARAMETERS,
    JSON
    | st.dictionaries(
        st.sampled_from(["search", "status", "page_context", "sort", "descending", "page"]), JSON
    ),
)
def test_whatever_a_browser_tells_of_its_table_is_a_view(
    parameters: dict[str, str], sent: object
) -> None:
    view = view_in(parameters).updated(sent)
    assert isinstance(view, TableView)
    assert view.updated(view.wire()) == view
    assert view_in(view.parameters()) == view


@examples
@given(TEXTS | TEXTS.map(lambda text: f"tea {text}"))
def test_a_row_is_of_a_site_that_is_shown_or_of_none(row_id: str) -> None:
    for sites in ([], SITES[:1], SITES):
        found = visit_of(row_id, sites)
        assert found is None or found[0] in sites


@examples
@given(TEXTS | TEXTS.map(lambda text: f"/{text}"))
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
def test_signing_in_leads_nowhere_else(text: str) -> None:
    path = next_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()
    assert next_path(path) == path


@examples
@given(
    TEXTS | HOSTS | HOSTS.map(lambda host: f"{host}:8501"),
    TEXTS | HOSTS.map(lambda host: f"http://{host}"),
)
def test_no_strange_host_is_the_dashboards_own(host: str, origin: str) -> None:
    assert is_own_host(host) in (True, False)
    assert not is_own_host(f"{host}.example")
    assert not is_own_origin(origin, "dashboard.invalid")
    assert is_own_origin("http://localhost:8501", "localhost:8501")


# --- cookies and forms


@examples
@given(COOKIES, st.from_regex(r"[a-z0-9]{1,40}", fullmatch=True))
def test_only_what_was_signed_is_a_session(cookie: str, token: str) -> None:
    assert unsigned(cookie, SECRET) == ""
    assert unsigned(signed(token, SECRET), SECRET) == token
    assert unsigned(signed(token, "another"), SECRET) == ""
    request = request_with([(b"cookie", f"{DEVICE_COOKIE}={cookie}".encode("latin-1"))])
    assert device_of(request, "ann@shop.example", SECRET) == ""


@examples
@given(st.lists(COOKIES, max_size=4))
def test_of_several_sessions_the_signed_one_counts(cookies: list[str]) -> None:
    ours = f"{SESSION_COOKIE}={signed('token', SECRET)}"
    line = "; ".join([ours, *(f"{SESSION_COOKIE}={cookie}" for cookie in cookies)])
    scope = request_with([(b"cookie", line.encode("latin-1"))]).scope
    kept = Request(with_one_session(scope, SECRET)).cookies.get(SESSION_COOKIE, "")
    assert unsigned(kept, SECRET) == "token"


@examples
@given(COOKIES, BYTES, TEXTS)
def test_a_callback_belongs_to_the_browser_that_began(
    cookie: str, query: bytes, goes_to: str
) -> None:
    forged = request_with([(b"cookie", f"{ATTEMPT_COOKIE}={cookie}".encode("latin-1"))], query)
    assert attempt_of(forged, SECRET, forged.query_params.get("state", "")) is None
    attempt, value = begin_attempt(SECRET, next_path(goes_to))
    begun = request_with([(b"cookie", f"{ATTEMPT_COOKIE}={value}".encode())], query)
    assert attempt_of(begun, SECRET, attempt.state) == attempt
    assert attempt_of(begun, SECRET, begun.query_params.get("state", "")) is None


@examples
@given(
    st.dictionaries(
        TEXTS | st.sampled_from(["email", "email_verified", "name", "preferred_username", "roles"]),
        JSON,
        max_size=5,
    ),
    TEXTS,
)
def test_claims_name_somebody_or_are_denied(claims: dict[str, Any], name: str) -> None:
    who = identity_in(claims | {"iss": "https://issuer.example", "sub": "1"})
    assert isinstance(who, ExternalIdentity | Denial)
    if isinstance(who, ExternalIdentity):
        assert who.email == "" or claims.get("email_verified") in (True, "true")
    claim_at(claims, name)


@examples
@given(
    BYTES
    | st.lists(TEXTS, max_size=30).map(
        lambda each: "&".join(f"a={text}" for text in each).encode("utf-8", "replace")
    )
)
def test_a_form_has_fields_of_text(body: bytes) -> None:
    fields: dict[str, str] = {}

    async def take(_request: Request, posted: Any) -> Response:
        fields.update(posted)
        return Response()

    kind = [(b"content-type", b"application/x-www-form-urlencoded")]
    answer = run(form_post(take)(request_with(kind, body=body)))  # pyright: ignore[reportArgumentType]
    assert answer.status_code == 200
    assert all(isinstance(value, str) for value in fields.values())
    assert len(fields) <= 20


# --- actions and look-ups


@examples
@given(
    st.sampled_from(sorted(ACTIONS)),
    bodies({"site": 1, "id": "x", "n": "message00001", "text": "a", "to": 1}),
)
def test_what_is_no_action_is_malformed(action: str, body: bytes) -> None:
    """The site is a number, so that none of these bodies gets as far as the database."""
    if b'"site"' in body and b'"site":1' not in body:
        return
    done = run(perform(Caller(WHOEVER_IS_HERE, ""), ACTIONS[action], body, NOW))
    assert done.status == 400
    assert done.error


LOOK_UPS: dict[str, Callable[[Connection, str], object]] = {
    "site": find_site,
    "agent": find_agent,
    "visit": lambda db, text: visitor_at(db, SITES[0], text, NOW, NOW),
    "conversation": lambda db, text: find_conversation(db, 1, text),
    "chats": lambda db, text: list(found_conversations(db, 1, text)),
    "template": lambda db, text: mark_used(db, 1, text, NOW),
    "e-mail": find_by_email,
    "subject": find_by_subject,
    "link": lambda db, text: find_link(db, text, NOW),
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the site of SITES that the look-ups ask for."""
    engine = open_database(database_url)
    with writing(engine) as db:
        add_site(db, name="Tea", key="tea", now=NOW)
    yield engine
    engine.dispose()


@examples
@given(text=WHOLE_TEXTS)
@example(text="a\0b")
def test_no_text_from_an_address_breaks_a_look_up(engine: Engine, text: str) -> None:
    for name, look_up in LOOK_UPS.items():
        with reading(engine) as db:
            assert not look_up(db, text), name


# --- links in messages, which browsers find

SCRIPT = joined_script(Path(__file__).parents[2] / "embed/chat/text.js")
SHOWS = f"""(texts) => {{
  {SCRIPT}
  return texts.map((text) => {{
    const message = document.createElement('p');
    message.append(...withLinks(text));
    const links = [...message.querySelectorAll('*')];
    return [message.textContent, links.map((link) => [link.getAttribute('href'), link.textContent])];
  }});
}}"""
"""What is seen of each text, and its links: where they lead, and what they say."""


MESSAGES = st.lists(
    WHOLE_TEXTS | HOSTS.map(lambda host: f"see https://{host}/a(b)."), min_size=30, max_size=60
)


@pytest.mark.timeout(300)
@settings(examples, max_examples=max(examples.max_examples // 8, 5))
@given(texts=MESSAGES)
def test_a_message_is_shown_as_it_was_typed(browser: Browser, texts: list[str]) -> None:
    page = browser.new_page()
    try:
        shown = page.evaluate(SHOWS, texts)
    finally:
        page.close()
    for text, (seen, links) in zip(texts, shown, strict=True):
        assert seen == text
        for address, said in links:
            assert address == said
            assert address.lower().startswith(("https://", "http://"))
