"""A visitor and an agent who chat over a running collector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx

from core.agents import add_agent, mark_seen
from core.chat.invitations import invite
from core.chat.messages import send_as_agent
from core.chat.store import find_by_token
from core.database import writing
from core.moment import from_milliseconds
from core.reasons import Refused
from core.tables import Agent, Conversation, Message
from tests.helpers.running_collector import CHROME, ORIGIN, RunningCollector, view, wait_for

VISIT = "a1b2c3d4e5f6g7h8"
TAB = "tab00001"


def moment(collector: RunningCollector) -> datetime:
    """The moment by the collector's clock."""
    return from_milliseconds(collector.clock.now)


def attend(collector: RunningCollector, name: str = "Ann") -> Agent:
    """Add an agent who is available and has the dashboard open, and let the collector know."""
    with writing(collector.engine) as db:
        agent = add_agent(db, name, moment(collector))
    refresh(collector)
    return agent


def stay(collector: RunningCollector, agent: Agent) -> None:
    """Note that the agent is still there after the clock has moved."""
    with writing(collector.engine) as db:
        mark_seen(db, agent.id or 0, moment(collector))
    refresh(collector)


def refresh(collector: RunningCollector) -> None:
    """Make the collector read agents and rules now, not within two seconds."""
    collector.app.conversation.attendance.refresh()


def send_invitation(
    collector: RunningCollector,
    agent: Agent,
    text: str = "May I help?",
    visit: str = VISIT,
    **fields: Any,
) -> Conversation:
    """Send an invitation; returns once the collector has it for the visit's next beacon."""
    with writing(collector.engine) as db:
        invited = invite(
            db,
            site_id=1,
            visit_id=visit,
            agent_id=agent.id or 0,
            text=text,
            now=moment(collector),
            **fields,
        )
    assert not isinstance(invited, Refused), invited
    waiting = collector.app.beacon.offers.waiting
    wait_for(lambda: (held := waiting.find(1, visit)) and held.token == invited.token)
    return invited


def say(collector: RunningCollector, agent: Agent, token: str, text: str, n: str = "") -> Message:
    """Send an agent's message as the dashboard does."""
    with writing(collector.engine) as db:
        conversation = find_by_token(db, 1, token)
        assert conversation is not None
        message = send_as_agent(
            db,
            conversation,
            agent_id=agent.id or 0,
            client_id=n or f"agent{conversation.message_count:06d}",
            text=text,
            now=moment(collector),
        )
    assert not isinstance(message, Refused), message
    return message


def offer_chat(collector: RunningCollector) -> None:
    """Give the site a chat button."""
    collector.change_site("shop1", chat_button=True)
    collector.refresh_sites()


def open_chat(collector: RunningCollector, text: str = "Hello", **fields: Any) -> str:
    """Open a conversation as the visitor of a new visit; returns its token."""
    offer_chat(collector)
    assert collector.post(view(), visit=fields.get("s", VISIT)).status_code == 200
    sent = {"s": VISIT, "t": TAB, "n": "visitor0001", "x": text} | fields
    answer = collector.call("open", headers=None, **sent)
    assert answer.status_code == 200, answer.text
    return answer.json()["c"]


def state_of(collector: RunningCollector, token: str) -> str:
    """The stored state of the conversation."""
    return collector.row("SELECT state FROM conversation WHERE token = :t", t=token)[0]


class Reader:
    """What arrives on a stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.heartbeats = 0
        self._lines = answer.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next update; its event's id is the update's. Raises StopIteration at the end."""
        name = ""
        for line in self._lines:
            if line.startswith("id: "):
                name = line.removeprefix("id: ")
            elif line.startswith("data: "):
                update = json.loads(line.removeprefix("data: "))
                assert update["id"] == int(name)
                return update
            elif line == ":":
                self.heartbeats += 1
        raise StopIteration

    def line(self) -> str:
        """The next line, unparsed."""
        return next(self._lines)

    def messages(self, number: int) -> list[dict[str, Any]]:
        """The next `number` messages, in however many updates they come."""
        found: list[dict[str, Any]] = []
        while len(found) < number:
            found += self.next()["m"]
        return found


@contextmanager
def open_stream(collector: RunningCollector, token: str, after: int = 0) -> Iterator[Reader]:
    """Open a stream of the conversation."""
    body = json.dumps({"v": 1, "k": "shop1", "c": token, "after": after})
    headers = {"Origin": ORIGIN, "User-Agent": CHROME, "Content-Type": "text/plain"}
    url = f"{collector.url}/v1/conversation/stream"
    with httpx.stream("POST", url, content=body, headers=headers, timeout=10) as answer:
        yield Reader(answer)


def call_count(collector: RunningCollector, result: str) -> float:
    """The number of calls with this result, from /metrics."""
    for line in collector.http.get("/metrics").text.splitlines():
        if line.startswith(f'monitor_chat_calls_total{{result="{result}"}}'):
            return float(line.split()[-1])
    return 0


def assert_readable(answer: httpx.Response) -> None:
    """Assert that any page may read the response and its reason."""
    assert answer.status_code < 500
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Drop-Reason" in answer.headers["Access-Control-Expose-Headers"]
    assert "Set-Cookie" not in answer.headers
