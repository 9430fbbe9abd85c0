"""The chat's own routes in the dashboard's process: who may use them, and what they send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.agents import available_agents, find_agent
from core.chat.states import ConversationState
from core.database import open_database, reading
from core.tables import Agent
from pages.server.agent_feed import AgentSubscriber, Listener
from pages.server.feed_streams import CHECK_EVERY, MOST_UNREAD
from pages.server.news import News
from tests.helpers.dashboard_chats import Chat, client_id, make_agent, now, secret_of, visitor_opens
from tests.helpers.event_loop import run
from tests.helpers.free_port import free_port
from tests.helpers.open_stream import OpenStream
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.running_monitor import answers
from tests.helpers.seed import make_database, make_site
from tests.helpers.stored_texts import every_text

ROOT = Path(__file__).parents[3]
COOKIE = "visitor-monitor-agent"
READ = ["stream", "poll", "conversation", "colleagues"]
ACTS = ["send", "read", "typing", "end", "take", "give", "note", "block", "done", "here"]
FIELDS = {
    "send": {"n": "client000001", "text": "x"},
    "note": {"n": "client000001", "text": "x"},
    "read": {"to": 1},
    "give": {"to": 1},
    "done": {"done": True},
}
"""What an action says beside its conversation."""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_database(tmp_path_factory.mktemp("routes"))


@pytest.fixture(scope="module")
def engine(database: Any) -> Any:
    return database[1]


@pytest.fixture(scope="module")
def site(engine: Any) -> Any:
    return make_site(engine, key="tea", name="Tea shop")


@pytest.fixture(scope="module")
def dashboard(database: Any, site: Any) -> Iterator[str]:
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def agent(engine: Any) -> Agent:
    return make_agent(engine)


@pytest.fixture
def chat(engine: Any, site: Any) -> Chat:
    return visitor_opens(engine, site, f"visit{time.time_ns():x}", attributes={"name": "Ada"})


@pytest.fixture
def browser_of(dashboard: str) -> Iterator[Any]:
    """The HTTP client of an agent's own page."""
    clients: list[httpx.Client] = []

    def browser_of(agent: Agent | None) -> httpx.Client:
        cookies = {} if agent is None else {COOKIE: secret_of(agent)}
        client = httpx.Client(
            base_url=dashboard, cookies=cookies, timeout=40, headers={"Origin": dashboard}
        )
        clients.append(client)
        return client

    yield browser_of
    for client in clients:
        client.close()


class AgentStream(OpenStream):
    """An agent's open stream."""

    def __init__(self, client: httpx.Client, last: int | None = None) -> None:
        super().__init__(client, "/agent/stream", last)

    def texts(self) -> list[str]:
        """The texts of all messages so far; at the start some older ones may come twice."""
        return [message["text"] for news in self.news() for message in news["messages"]]


def post(client: httpx.Client, act: str, chat: Chat, **fields: Any) -> httpx.Response:
    return client.post(f"/agent/{act}", json={"site": "tea", "id": chat.id, **fields})


# ---- who may


@pytest.mark.parametrize("name", READ)
def test_nobody_reads_without_an_agents_key(browser_of: Any, name: str) -> None:
    for client in (browser_of(None), browser_of(Agent(id=1, key="wrong", name="x"))):
        assert client.get(f"/agent/{name}").status_code == 401


def test_nothing_that_is_stored_makes_a_browser_an_agents(
    engine: Any, agent: Agent, chat: Chat, dashboard: str
) -> None:
    def status(secret: str) -> int:
        address = f"{dashboard}/agent/conversation?site=tea&id={chat.id}"
        return httpx.get(address, headers={"Cookie": f"{COOKIE}={secret}"}).status_code

    stored = every_text(engine, "agent", "session", "sign_in_link")
    assert agent.key in stored
    assert {value: status(value) for value in stored} == dict.fromkeys(stored, 401)
    assert status(secret_of(agent)) == 200


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_without_an_agents_key(browser_of: Any, chat: Chat, act: str) -> None:
    assert post(browser_of(None), act, chat, **FIELDS.get(act, {})).status_code == 401
    assert chat.texts == ["Hello?"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:1",
        "http://localhost",
        "null",
        "http://127.0.0.1",
        "file://",
        "",
    ],
)
@pytest.mark.parametrize("act", ACTS)
def test_no_other_site_acts_in_the_agents_name(
    browser_of: Any, agent: Agent, chat: Chat, act: str, origin: str
) -> None:
    body = {"site": "tea", "id": chat.id, **FIELDS.get(act, {})}
    done = browser_of(agent).post(f"/agent/{act}", json=body, headers={"Origin": origin})
    assert done.status_code == 403
    assert chat.row.state == ConversationState.OPEN
    assert chat.row.agent_id == 0
    assert chat.texts == ["Hello?"]


def test_post_without_origin_is_refused(dashboard: str, agent: Agent, chat: Chat) -> None:
    with httpx.Client(base_url=dashboard, cookies={COOKIE: secret_of(agent)}) as client:
        assert post(client, "take", chat).status_code == 403
    assert chat.row.agent_id == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_refused(
    browser_of: Any, agent: Agent, chat: Chat, kind: str
) -> None:
    body = json.dumps({"site": "tea", "id": chat.id})
    done = browser_of(agent).post("/agent/take", content=body, headers={"Content-Type": kind})
    assert done.status_code == 415
    assert chat.row.agent_id == 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example"])
def test_name_that_is_made_to_resolve_here_is_refused(
    browser_of: Any, agent: Agent, chat: Chat, host: str
) -> None:
    """DNS rebinding: to the browser it is the foreign page's own origin."""
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    client = browser_of(agent)
    for name in READ:
        assert client.get(f"/agent/{name}", headers=own).status_code == 403
    body = {"site": "tea", "id": chat.id}
    assert client.post("/agent/take", json=body, headers=own).status_code == 403
    assert chat.row.agent_id == 0


@pytest.mark.parametrize("name", READ)
def test_page_on_another_port_reads_nothing(browser_of: Any, agent: Agent, name: str) -> None:
    client = browser_of(agent)
    for headers in ({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "same-site"}):
        assert client.get(f"/agent/{name}", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"site":1,"id":"x"}',
        b"\xff",
        b'{"site":"tea","id":null}',
        b'{"site":"\xff"}',
        b'{"x":' + b"[" * 16_000,
    ],
)
def test_what_is_no_act_is_refused(browser_of: Any, agent: Agent, body: bytes) -> None:
    done = browser_of(agent).post(
        "/agent/take", content=body, headers={"Content-Type": "application/json"}
    )
    assert done.status_code == 400
    assert done.json()["error"]


@pytest.mark.parametrize(
    ("act", "field"), [("mail-again", "number"), ("read", "to"), ("give", "to")]
)
@pytest.mark.parametrize("number", [2**31, 2**64, -1])
def test_number_that_no_row_has_is_refused(
    browser_of: Any, agent: Agent, chat: Chat, act: str, field: str, number: int
) -> None:
    done = post(browser_of(agent), act, chat, **{field: number})
    assert done.status_code == 400


def test_long_body_and_unknown_conversation_are_refused(
    browser_of: Any, agent: Agent, chat: Chat
) -> None:
    client = browser_of(agent)
    long = post(client, "send", chat, n=client_id(), text="x" * 20_000)
    assert long.status_code == 413
    for place in ({"site": "tea", "id": "nobody"}, {"site": "nowhere", "id": chat.id}):
        assert client.post("/agent/take", json=place).status_code == 404
        assert client.get("/agent/conversation", params=place).status_code == 404


# ---- what they carry


def test_stream_says_hello_and_what_is_open(browser_of: Any, agent: Agent, chat: Chat) -> None:
    stream = AgentStream(browser_of(agent))
    wait_for(lambda: len(stream.events) >= 2)
    name, hello = stream.events[0]
    assert name == "hello"
    assert hello["agent"] == agent.id
    assert hello["following"] is True
    assert abs(hello["now"] - time.time() * 1000) < 60_000
    news = stream.news()[0]
    assert news["whole"] is True
    assert news["id"] == hello["revision"] >= chat.row.revision
    [conversation] = [each for each in news["conversations"] if each["id"] == chat.id]
    assert conversation["site"] == "tea"
    assert conversation["visitor"] == "Ada"
    assert conversation["state"] == "open"
    assert conversation["unread"] == 1
    assert conversation["last"] == "Hello?"
    assert conversation["waiting_since"] is not None


def test_stream_sends_what_happens_at_once(browser_of: Any, agent: Agent, chat: Chat) -> None:
    stream = AgentStream(browser_of(agent))
    wait_for(stream.news)
    began = time.monotonic()
    chat.says("Anybody?")
    wait_for(lambda: stream.texts()[-1:] == ["Anybody?"])
    assert time.monotonic() - began < 2
    chat.ends()
    wait_for(lambda: stream.news()[-1]["conversations"][0]["state"] == "ended")


def test_stream_goes_on_where_the_browser_was(browser_of: Any, agent: Agent, chat: Chat) -> None:
    known = chat.row.revision
    chat.says("One")
    chat.says("Two")
    client = browser_of(agent)
    stream = AgentStream(client, known)
    wait_for(stream.news)
    mine = [m["text"] for m in stream.news()[0]["messages"] if m["id"] == chat.id]
    assert mine == ["One", "Two"]
    assert "whole" not in stream.news()[0]


def test_poll_answers_at_once_or_when_there_is_something(
    browser_of: Any, agent: Agent, chat: Chat
) -> None:
    client = browser_of(agent)
    whole = client.get("/agent/poll").json()
    assert chat.id in [each["id"] for each in whole["conversations"]]
    threading.Timer(0.7, chat.says, ["Later"]).start()
    began = time.monotonic()
    news = client.get("/agent/poll", params={"after": whole["id"]}).json()
    assert 0.5 < time.monotonic() - began < 5
    assert [message["text"] for message in news["messages"]] == ["Later"]


def test_message_sent_twice_counts_once(browser_of: Any, agent: Agent, chat: Chat) -> None:
    client, name = browser_of(agent), client_id()
    first, second = (post(client, "send", chat, n=name, text="Yes") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json()["messages"] == second.json()["messages"]
    assert chat.texts == ["Hello?", "Yes"]
    whole = client.get("/agent/conversation", params={"site": "tea", "id": chat.id}).json()
    assert [m["text"] for m in whole["messages"]] == ["Hello?", "Yes"]
    assert whole["conversation"]["agent"] == agent.id


def test_conversation_belongs_to_who_answered_until_it_is_taken(
    browser_of: Any, engine: Any, agent: Agent, chat: Chat
) -> None:
    mine, theirs = browser_of(agent), browser_of(make_agent(engine, "Bea"))
    assert post(mine, "send", chat, n=client_id(), text="Hello").status_code == 200
    for act, fields in (("send", {"n": client_id(), "text": "No"}), ("end", {})):
        refused = post(theirs, act, chat, **fields)
        assert refused.status_code == 409
        assert "take it over" in refused.json()["error"]
    chat.says("More")
    post(theirs, "read", chat, to=3)
    assert chat.row.agent_read < 3
    assert post(theirs, "take", chat).status_code == 200
    assert post(theirs, "send", chat, n=client_id(), text="Now me").status_code == 200
    assert post(mine, "send", chat, n=client_id(), text="Not me").status_code == 409
    assert post(theirs, "end", chat).status_code == 200
    assert chat.row.state == ConversationState.ENDED
    assert chat.row.closed_by == "agent"


@pytest.mark.long
def test_browser_that_says_so_is_there_and_an_open_stream_alone_is_not(
    browser_of: Any, engine: Any, site: Any, agent: Agent
) -> None:
    """A computer that sleeps keeps its connection: what is open says nothing of who is there."""
    client = browser_of(agent)
    stream = AgentStream(client)
    wait_for(stream.news)
    began = find(engine, agent).seen_at
    client.get("/agent/colleagues", params={"site": "tea"})
    wait_for(lambda: now() - began > timedelta(seconds=CHECK_EVERY + 2), 60)
    assert find(engine, agent).seen_at == began
    assert client.post("/agent/here", json={}).status_code == 204
    assert find(engine, agent).seen_at > began
    with reading(engine) as db:
        assert agent.id in [each.id for each in available_agents(db, now(), site.id)]


def test_colleagues_are_those_who_are_there_without_oneself(
    browser_of: Any, engine: Any, agent: Agent
) -> None:
    bea = make_agent(engine, "Bea")
    found = browser_of(agent).get("/agent/colleagues", params={"site": "tea"}).json()
    ids = [each["id"] for each in found]
    assert bea.id in ids and agent.id not in ids
    assert {"id": bea.id, "name": "Bea", "is_available": True} in found
    assert browser_of(agent).get("/agent/colleagues", params={"site": "none"}).json() == []


def test_chat_is_given_noted_and_blocked(
    browser_of: Any, engine: Any, agent: Agent, chat: Chat
) -> None:
    bea, client = make_agent(engine, "Bea"), browser_of(agent)
    noted = post(client, "note", chat, n=client_id(), text="Speaks French")
    assert noted.json()["conversations"][0]["note_count"] == 1
    assert post(client, "give", chat, to=bea.id).json()["conversations"][0]["agent"] == bea.id
    assert chat.row.agent_id == bea.id
    assert post(client, "block", chat).status_code == 409  # it is a colleague's
    assert post(browser_of(bea), "block", chat).status_code == 200
    assert (chat.row.state, chat.row.closed_by) == ("ended", "agent")
    whole = client.get("/agent/conversation", params={"site": "tea", "id": chat.id}).json()
    assert [(each["agent_name"], each["text"]) for each in whole["notes"]] == [
        ("Ann", "Speaks French")
    ]
    assert "French" not in str(whole["messages"])


def test_left_message_is_ticked_off_and_back(
    browser_of: Any, engine: Any, site: Any, agent: Agent
) -> None:
    visit = f"visit{time.time_ns():x}"
    told = {"name": "Rae", "email": "rae@example.org"}
    left = visitor_opens(engine, site, visit, "Call me", is_attended=False, attributes=told)
    client = browser_of(agent)
    [done] = post(client, "done", left, done=True).json()["conversations"]
    assert (done["done_by"], done["email"]) == ("Ann", "rae@example.org")
    assert done["mailto"].startswith(
        "mailto:rae@example.org?subject=Your%20message%20to%20Tea%20shop"
    )
    assert "Call%20me" in done["mailto"]
    [undone] = post(client, "done", left, done=False).json()["conversations"]
    assert (undone["done_at"], undone["done_by"]) == (None, "")


def test_many_streams_cost_one_look_at_the_database(
    browser_of: Any, agent: Agent, chat: Chat
) -> None:
    streams = [AgentStream(browser_of(agent)) for _ in range(30)]
    wait_for(lambda: all(stream.news() for stream in streams), 30)
    for number in range(20):
        chat.says(f"line {number}")
    wanted = [f"line {number}" for number in range(20)]
    wait_for(lambda: all(stream.texts()[-20:] == wanted for stream in streams), 20)


def test_postgres_notifies_at_once(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    agent = make_agent(engine)
    chat = visitor_opens(engine, make_site(engine, key="tea"), "visit1")
    with (
        running_dashboard(postgres_url) as address,
        httpx.Client(
            base_url=address,
            cookies={COOKIE: secret_of(agent)},
            headers={"Origin": address},
            timeout=40,
        ) as client,
    ):
        stream = AgentStream(client)
        wait_for(stream.news, 20)
        chat.says("From a collector")
        wait_for(lambda: stream.texts()[-1:] == ["From a collector"])
        assert post(client, "send", chat, n=client_id(), text="An answer").status_code == 200
        wait_for(lambda: stream.texts()[-1:] == ["An answer"])
        assert chat.texts == ["Hello?", "From a collector", "An answer"]
    engine.dispose()


def test_answers_carry_the_dashboards_headers(browser_of: Any, agent: Agent) -> None:
    for name in ("poll", "conversation"):
        answer = browser_of(agent).get(f"/agent/{name}")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_listener_that_does_not_keep_up_is_let_go() -> None:
    async def read() -> list[News | None]:
        listener = AgentSubscriber(Listener(1), MOST_UNREAD)
        assert all(listener.push(News(number, "{}")) for number in range(1, MOST_UNREAD + 1))
        assert not listener.push(News(MOST_UNREAD + 1, "{}"))
        listener.cut_off()
        return [news async for news in listener]

    assert run(read()) == [News(number, "{}") for number in range(1, MOST_UNREAD + 1)]


# ---- the end


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_process_ends_at_once_with_open_streams(
    database: Any, agent: Agent, chat: Chat, sign: signal.Signals
) -> None:
    with a_process(database[0]) as (process, address):
        clients = [
            httpx.Client(base_url=address, cookies={COOKIE: secret_of(agent)}, timeout=40)
            for _ in range(5)
        ]
        streams = [*map(AgentStream, clients), OpenStream(clients[0], "/changes")]
        wait_for(lambda: all(stream.news() for stream in streams), 20)
        polling = threading.Thread(target=_poll, args=(clients[0], chat.row.revision + 10**6))
        polling.start()
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(sign)
        process.wait(15)
        assert time.monotonic() - began < 3
        wait_for(lambda: all(stream.is_over for stream in streams))
        polling.join(5)


def _poll(client: httpx.Client, after: int) -> None:
    with suppress(httpx.HTTPError):
        client.get("/agent/poll", params={"after": after})


@contextmanager
def a_process(database_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A dashboard to be ended by the test."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/_stcore/health"), 90)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def find(engine: Any, agent: Agent) -> Agent:
    with reading(engine) as db:
        found = find_agent(db, secret_of(agent))
    assert found is not None
    return found
