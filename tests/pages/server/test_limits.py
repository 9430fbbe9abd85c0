"""What the dashboard's routes tell and do for accounts: in their own name, and on their own sites alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update
from starlette.applications import Starlette
from starlette.middleware import Middleware

from core.accounts.accounts import Account
from core.accounts.identity import Role
from core.chat.states import ConversationState
from core.database import open_database, writing
from core.mail.server import set_server
from core.site_changes import note_changes
from core.tables import Conversation, Site
from pages.server.access import COOKIE
from pages.server.actions import ACTIONS
from pages.server.agent_feed import AgentFeed, Listener
from pages.server.agent_routes import agent_routes
from pages.server.gate import Gate
from pages.server.news import read_news_since
from pages.server.session_book import SESSION_COOKIE, forget_guests
from pages.server.site_feed import ANY_SITE, SiteFeed, SiteSubscriber, read_revisions
from tests.helpers.dashboard_chats import Chat, client_id, make_agent, secret_of, visitor_opens
from tests.helpers.event_loop import run
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.seed import make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import use_database

SOON = 15
FIELDS = {
    "send": {"text": "x"},
    "note": {"text": "x"},
    "read": {"to": 1},
    "done": {"done": True},
    "mail": {"text": "x"},
    "mail-again": {"number": 1},
}
OF_LEFT_MESSAGES = ("done", "mail", "mail-again")


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    use_database(database_url, monkeypatch)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def tea(engine: Engine) -> Site:
    return make_site(engine, key="tea", name="Tea shop")


@pytest.fixture
def pots(engine: Engine) -> Site:
    return make_site(engine, key="pots", name="Pot shop")


Ask = Callable[[httpx.AsyncClient, AgentFeed], Coroutine[Any, Any, Any]]


@pytest.fixture
def asked(engine: Engine) -> Callable[..., Any]:
    """What a browser of this account finds out; `key`: that of an old agent's cookie beside it."""

    def asked(account: Account, ask: Ask, key: str = "") -> Any:
        cookies = {SESSION_COOKIE: session_cookie(engine, account), COOKIE: key}
        forget_guests()

        async def ask_now() -> Any:
            feed = AgentFeed()
            app = Starlette(routes=agent_routes(feed), middleware=[Middleware(Gate)])
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://localhost",
                cookies=cookies,
                headers={"Origin": "http://localhost"},
                timeout=SOON,
            ) as browser:
                found = await ask(browser, feed)
            await feed.stop()
            return found

        return run(ask_now())

    return asked


def account_of(
    engine: Engine, sites: Collection[Site] | None = None, role: Role = Role.AGENT
) -> Account:
    limit = None if sites is None else [site.id or 0 for site in sites]
    return make_account(engine, "Ann", role, password="", site_ids=limit)


def body_of(act: str, chat: Chat) -> dict[str, Any]:
    sent = {"n": client_id()} if act in ("send", "note", "mail") else {}
    return {"site": chat.site.key, "id": chat.id, **FIELDS.get(act, {}), **sent}


@pytest.mark.parametrize("act", ACTIONS)
def test_agent_acts_on_their_own_sites_alone(
    engine: Engine, tea: Site, pots: Site, asked: Any, act: str
) -> None:
    is_left = act in OF_LEFT_MESSAGES
    own = visitor_opens(engine, tea, "visit1", is_attended=not is_left)
    other = visitor_opens(engine, pots, "visit2", is_attended=not is_left)
    if is_left:
        with writing(engine) as db:
            db.execute(update(Conversation).values(email="ann@mail.example"))
            set_server(db, tea.id or 0, server_fields(587))
            set_server(db, pots.id or 0, server_fields(587))
    more = {"to": make_agent(engine, "Bea").id} if act == "give" else {}
    nobodys = {**body_of(act, other), **more, "site": "nowhere"}
    before = other.row

    async def ask(browser: httpx.AsyncClient, _feed: AgentFeed) -> list[httpx.Response]:
        bodies = ({**body_of(act, own), **more}, {**body_of(act, other), **more}, nobodys)
        return [await browser.post(f"/agent/{act}", json=body) for body in bodies]

    done, refused, unknown = asked(account_of(engine, [tea]), ask)
    assert done.status_code == 200
    assert (refused.status_code, refused.text) == (unknown.status_code, unknown.text)
    assert refused.status_code == 404
    assert other.row == before and other.texts == ["Hello?"]


def test_agent_acts_as_their_account_and_no_old_cookie_counts(
    engine: Engine, tea: Site, asked: Any
) -> None:
    chat = visitor_opens(engine, tea, "visit1")
    key = secret_of(make_agent(engine, "Before"))

    async def take(browser: httpx.AsyncClient, _feed: AgentFeed) -> int:
        return (await browser.post("/agent/take", json=body_of("take", chat))).status_code

    assert asked(account_of(engine, role=Role.VIEWER), take, key) == 403
    assert chat.row.agent_id == 0
    account = account_of(engine)
    assert asked(account, take, key) == 200
    assert (chat.row.agent_id, chat.row.state) == (account.id, ConversationState.OPEN)


def test_agent_reads_the_chats_of_their_own_sites_alone(
    engine: Engine, tea: Site, pots: Site, asked: Any
) -> None:
    own, other = visitor_opens(engine, tea, "visit1"), visitor_opens(engine, pots, "visit2")

    async def ask(browser: httpx.AsyncClient, _feed: AgentFeed) -> Any:
        whole = (await browser.get("/agent/poll")).json()
        places = (("tea", own.id), ("pots", other.id), ("nowhere", other.id))
        read = [
            await browser.get("/agent/conversation", params={"site": site, "id": id})
            for site, id in places
        ]
        return whole, read

    whole, (mine, theirs, nobodys) = asked(account_of(engine, [tea]), ask)
    assert [each["site"] for each in whole["conversations"]] == ["tea"]
    assert mine.status_code == 200
    assert (theirs.status_code, theirs.text) == (nobodys.status_code, nobodys.text)
    assert theirs.status_code == 404


def test_each_agent_hears_of_their_own_sites_alone(engine: Engine, tea: Site, pots: Site) -> None:
    in_tea, in_pots = visitor_opens(engine, tea, "visit1"), visitor_opens(engine, pots, "visit2")
    limits = [None, frozenset({tea.id or 0}), frozenset({pots.id or 0})]

    async def follow() -> list[list[str]]:
        feed = AgentFeed()
        known = await read_news_since(0)
        listeners = [await feed.subscribe(Listener(9, limit)) for limit in limits]
        for listener in listeners:
            listener.begin(known.revision)
        await asyncio.to_thread(in_tea.says, "in tea")
        await asyncio.to_thread(in_pots.says, "in pots")
        async with asyncio.timeout(SOON):
            while len(await texts_since(known.revision, None)) < 2:
                pass
        heard: list[list[str]] = []
        for listener, wanted in zip(listeners, (2, 1, 1), strict=True):
            said: list[str] = []
            async with asyncio.timeout(SOON):
                while len(said) < wanted:
                    if news := await anext(listener):
                        said += texts_of(news.text)
            heard.append(said)
        # On Postgres it begins a little before.
        since = await texts_since(known.revision, limits[1])
        assert since[-1] == "in tea" and "in pots" not in since
        await feed.stop()
        # What was told to the end: nothing came that was not read.
        rest = [[news async for news in listener] for listener in listeners]
        assert rest == [[], [], []]
        return heard

    assert run(follow()) == [["in tea", "in pots"], ["in tea"], ["in pots"]]


def texts_of(news: str) -> list[str]:
    return [message["text"] for message in json.loads(news)["messages"]]


async def texts_since(revision: int, limit: Any) -> list[str]:
    return texts_of((await read_news_since(revision, limit)).text)


def test_poll_does_not_wake_for_others_sites(engine: Engine, tea: Site, pots: Site) -> None:
    visitor_opens(engine, tea, "visit1")
    other = visitor_opens(engine, pots, "visit2")

    async def look() -> tuple[int, int]:
        limit = frozenset({tea.id or 0})
        known = (await read_news_since(0, limit)).revision
        await asyncio.to_thread(other.says, "in pots")
        return known, (await read_news_since(known, limit)).revision

    known, after = run(look())
    assert after == known


def test_changes_tell_of_the_sites_that_one_sees(engine: Engine, tea: Site, pots: Site) -> None:
    async def told(subscriber: SiteSubscriber) -> dict[str, int]:
        async with asyncio.timeout(SOON):
            while (news := await anext(subscriber)) is None:
                pass
        return json.loads(news.text)["sites"]

    def change(site: Site) -> None:
        with writing(engine) as db:
            note_changes(db, [site.id or 0])

    async def follow() -> None:
        feed = SiteFeed()
        site_ids = frozenset({tea.id or 0})
        everybody, limited = await feed.subscribe(None), await feed.subscribe(site_ids)
        await asyncio.to_thread(change, pots)
        assert (await told(everybody)).keys() == {"pots", ANY_SITE}
        await asyncio.to_thread(change, tea)
        heard = await told(limited)
        assert heard.keys() == {"tea", ANY_SITE}
        assert heard["tea"] == heard[ANY_SITE]
        first = json.loads((await read_revisions(site_ids)).text)["sites"]
        assert first == heard
        assert json.loads((await read_revisions(frozenset())).text)["sites"] == {}
        await feed.stop()

    run(follow())
