"""Every message arrives exactly once and in order, though chats change hands, agents vanish and visitors are blocked.

Over the real collectors and the real dashboard, a collector of which dies in the middle. The short run takes the chats of the
agent who vanishes away as a collector does, without waiting for it to see that; the long one waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.agents import add_agent, mark_seen
from core.chat.vacancy import UNHEARD_FOR, UnheardAgents, vacate_due
from core.database import open_database, reading, writing
from core.sites import change_site
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.event_loop import run
from tests.helpers.peers import RETRY, AgentBrowser, PeerVisitor, until_attended
from tests.helpers.running_dashboard import running_dashboard

SITE = "shop"
NAMES = ("Ann", "Bea", "Cid")
"""Cid vanishes."""

pytestmark = pytest.mark.timeout(480)


@dataclass(frozen=True)
class TeamMember:
    """An agent of the team, and their browser."""

    id: int
    browser: AgentBrowser


@dataclass(frozen=True)
class Scale:
    """How many conversations, and lines of each side in each of them."""

    conversations: int
    lines: int
    waits_for_collector: bool
    within: float


SHORT = Scale(12, 6, waits_for_collector=False, within=200)
LONG = Scale(60, 12, waits_for_collector=True, within=400)


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


@pytest.mark.long
@pytest.mark.parametrize("scale", [SHORT, LONG])
def test_every_message_of_a_team_arrives_once_and_in_order(
    database_url: str, collectors: list[CollectorProcess], scale: Scale
) -> None:
    engine = open_database(database_url)
    with writing(engine) as db:
        ids = [add_agent(db, name, datetime.now(UTC), f"secret {name}").id or 0 for name in NAMES]
    with running_dashboard(database_url) as dashboard:
        team = [
            TeamMember(id, AgentBrowser(dashboard, f"secret {name}", SITE))
            for id, name in zip(ids, NAMES, strict=True)
        ]
        visitors = run(Conversing(team, collectors, engine, scale).all())
    for visitor in visitors:
        seen = [message["n"] for message in visitor.received]
        assert seen == list(range(1, 2 * scale.lines + 1)), visitor.visit
        assert _texts(visitor, by_agent=False) == [visitor.line(n) for n in range(scale.lines)]
        answers = [f"answer {number} to {visitor.visit}" for number in range(scale.lines)]
        assert _texts(visitor, by_agent=True) == answers
        stayed = [(m["n"], m["text"]) for m in team[0].browser.messages(visitor.visit)]
        assert stayed == [(m["n"], m["x"]) for m in visitor.received]
    lost = [number for number, visitor in enumerate(visitors) if visitor.has_lost_its_agent]
    assert lost == list(range(0, scale.conversations, 3))
    with reading(engine) as db:
        stored = db.execute(text("SELECT count(*) FROM message")).scalar_one()
        kept_by_cid = db.execute(
            text("SELECT count(*) FROM conversation WHERE state = 'open' AND agent_id = :id"),
            {"id": ids[-1]},
        ).scalar_one()
    engine.dispose()
    assert stored == scale.conversations * scale.lines * 2
    assert kept_by_cid == 0


def _texts(visitor: PeerVisitor, *, by_agent: bool) -> list[str]:
    return [message["x"] for message in visitor.received if bool(message["a"]) is by_agent]


class Conversing:
    """The conversations of one run."""

    def __init__(
        self,
        team: list[TeamMember],
        collectors: list[CollectorProcess],
        engine: Engine,
        scale: Scale,
    ) -> None:
        self._team, self._collectors, self._engine, self._scale = team, collectors, engine, scale

    async def all(self) -> list[PeerVisitor]:
        """The visitors, once all their conversations are over."""
        scale = self._scale
        async with asyncio.timeout(scale.within), asyncio.TaskGroup() as group:
            listening = [group.create_task(member.browser.listen()) for member in self._team]
            for member in self._team:
                await member.browser.wait_until_open()
            for collector in self._collectors:
                await until_attended(f"http://127.0.0.1:{collector.port}", SITE)
            visitors = [self._visitor(number) for number in range(scale.conversations)]
            talks = [group.create_task(v.talk(scale.lines, 2 * scale.lines)) for v in visitors]
            answers = [
                group.create_task(self._answer(visitor, number))
                for number, visitor in enumerate(visitors)
            ]
            await self._until_half(visitors)
            await asyncio.to_thread(self._collectors[0].kill)
            await asyncio.to_thread(self._collectors[0].start)
            await self._vanish(listening[-1])
            await asyncio.gather(*talks, *answers)
            await self._team[0].browser.has_all(visitors, 2 * scale.lines)
            await self._block(visitors[0])
            for task in listening:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return visitors

    def _visitor(self, number: int) -> PeerVisitor:
        collector = self._collectors[number % len(self._collectors)]
        return PeerVisitor(f"http://127.0.0.1:{collector.port}", SITE, number)

    async def _answer(self, visitor: PeerVisitor, number: int) -> None:
        """Each third of a conversation is another agent's; every third conversation is Cid's when he vanishes."""
        ann, bea, cid = self._team
        lines = self._scale.lines
        first, last = (ann, bea) if number % 2 else (bea, ann)
        for at in range(lines // 3):
            await first.browser.send(visitor, at)
        second = cid if number % 3 == 0 else last
        await self._give(visitor, first, second)
        for at in range(lines // 3, 2 * lines // 3):
            await second.browser.send(visitor, at)
        if second is cid:
            await self._until_alone(visitor)
        elif second is not ann:
            assert (await ann.browser.act("take", visitor)).status_code == 200
        for at in range(2 * lines // 3, lines):
            await ann.browser.send(visitor, at)

    async def _give(self, visitor: PeerVisitor, first: TeamMember, second: TeamMember) -> None:
        """Who has given it away says nothing more in it."""
        given = await first.browser.act("give", visitor, to=second.id)
        assert given.status_code == 200, given.text
        late = await first.browser.act("send", visitor, n="toolate00001", text="Too late")
        assert late.status_code == 409, late.text

    async def _until_alone(self, visitor: PeerVisitor) -> None:
        """Return once the visitor has heard that the agent had to go."""
        while not visitor.has_lost_its_agent:
            await asyncio.sleep(RETRY)

    async def _vanish(self, listening: asyncio.Task[None]) -> None:
        """Cid's browser is gone, without a word."""
        cids = [n for n in range(self._scale.conversations) if n % 3 == 0]
        while self._count_of(self._team[-1].id) < len(cids):
            await asyncio.sleep(RETRY)
        listening.cancel()
        if not self._scale.waits_for_collector:
            await asyncio.to_thread(self._vacate)

    def _vacate(self) -> None:
        unheard, hour = UnheardAgents(), timedelta(hours=1)
        for at in range(0, int(UNHEARD_FOR) + 15, 5):
            with writing(self._engine) as db:
                mark_seen(db, self._team[-1].id, datetime.now(UTC) - hour)
                vacate_due(db, datetime.now(UTC), unheard, float(at))

    def _count_of(self, agent_id: int) -> int:
        """Conversations in which the agent has sent all that they are to send."""
        most = self._scale.lines // 3
        said = text(
            "SELECT count(*) FROM (SELECT 1 FROM message WHERE agent_id = :id"
            " GROUP BY conversation_id HAVING count(*) >= :most) AS done"
        )
        with reading(self._engine) as db:
            return db.execute(said, {"id": agent_id, "most": most}).scalar_one()

    async def _block(self, visitor: PeerVisitor) -> None:
        blocked = await self._team[0].browser.act("block", visitor)
        assert blocked.status_code == 200, blocked.text
        assert await visitor.is_refused() == [(410, "over"), (409, "not_offered")]

    async def _until_half(self, visitors: list[PeerVisitor]) -> None:
        third = self._scale.conversations * self._scale.lines // 2
        while sum(len(visitor.received) for visitor in visitors) < third:
            await asyncio.sleep(0.05)
