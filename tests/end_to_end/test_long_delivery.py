"""Every message arrives exactly once and in order, though a collector dies in the middle.

200 conversations, 20 messages each way, over the real collectors and the real dashboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.agents import add_agent
from core.database import open_database, reading, writing
from core.sites import change_site
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.peers import AgentBrowser, PeerVisitor, until_attended
from tests.helpers.running_dashboard import running_dashboard

CONVERSATIONS = 200
LINES = 20
"""That each side says in each conversation."""

SITE = "shop"
SECRET = "the secret of the browser of Ann"
WITHIN = 400

pytestmark = [pytest.mark.timeout(480), pytest.mark.long]


@pytest.fixture
def collectors(database_url: str, tmp_path: Path) -> Iterator[list[CollectorProcess]]:
    """One on SQLite, two on one Postgres."""
    number = 1 if database_url.startswith("sqlite") else 2
    running = [CollectorProcess(tmp_path, [SITE], database_url) for _ in range(number)]
    engine = open_database(database_url)
    with writing(engine) as db:
        change_site(db, SITE, chat_button=True)
    engine.dispose()
    for collector in running:
        collector.start()
    yield running
    for collector in running:
        collector.stop()


def test_every_message_arrives_once_and_in_order(database_url, collectors) -> None:
    engine = open_database(database_url)
    with writing(engine) as db:
        add_agent(db, "Ann", datetime.now(UTC), SECRET)
    with running_dashboard(database_url) as dashboard:
        # On a thread of its own: an open browser's driver holds the main one.
        with ThreadPoolExecutor(1) as thread:
            talk = thread.submit(asyncio.run, _converse(collectors, dashboard))
        visitors, agent = talk.result()
    for visitor in visitors:
        seen = [message["n"] for message in visitor.received]
        assert seen == list(range(1, 2 * LINES + 1)), visitor.visit
        assert _texts(visitor.received, by_agent=False) == [visitor.line(n) for n in range(LINES)]
        assert _texts(visitor.received, by_agent=True) == [
            f"answer {number} to {visitor.visit}" for number in range(LINES)
        ]
        received = [(m["n"], m["text"]) for m in agent.messages(visitor.visit)]
        assert received == [(m["n"], m["x"]) for m in visitor.received]
    with reading(engine) as db:
        stored = db.execute(text("SELECT count(*) FROM message")).scalar_one()
    engine.dispose()
    assert stored == CONVERSATIONS * LINES * 2


def _texts(messages, *, by_agent: bool) -> list[str]:
    return [message["x"] for message in messages if bool(message["a"]) is by_agent]


async def _converse(collectors, dashboard) -> tuple[list[PeerVisitor], AgentBrowser]:
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        agent = AgentBrowser(dashboard, SECRET, SITE)
        listening = group.create_task(agent.listen())
        await agent.wait_until_open()
        for collector in collectors:
            await until_attended(_url(collector), SITE)
        visitors = [
            PeerVisitor(_url(collectors[number % len(collectors)]), SITE, number)
            for number in range(CONVERSATIONS)
        ]
        talks = [group.create_task(v.talk(LINES, 2 * LINES)) for v in visitors]
        answers = [group.create_task(agent.answer(v, LINES)) for v in visitors]
        await _until_half(visitors)
        await asyncio.to_thread(collectors[0].kill)
        await asyncio.to_thread(collectors[0].start)
        await asyncio.gather(*talks, *answers)
        await agent.has_all(visitors, 2 * LINES)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    return visitors, agent


async def _until_half(visitors: list[PeerVisitor]) -> None:
    while sum(len(visitor.received) for visitor in visitors) < CONVERSATIONS * LINES:
        await asyncio.sleep(0.05)


def _url(collector: CollectorProcess) -> str:
    return f"http://127.0.0.1:{collector.port}"
