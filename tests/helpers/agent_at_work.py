"""An agent at work: writes to the database by the same functions as the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar, Unpack

import httpx
from sqlalchemy import BigInteger, type_coerce, update
from sqlmodel import col

from core.agents import add_agent, change_agent
from core.chat.blocks import block
from core.chat.conversations import end, mark_read, mark_typing
from core.chat.handover import take_over
from core.chat.invitations import invite
from core.chat.looks import LookChanges, change_look, payload_of
from core.chat.messages import send_as_agent
from core.chat.rules import add_rule
from core.chat.states import Author, ClosedBy, Trigger
from core.chat.store import change, find_conversation
from core.database import open_database, reading, writing
from core.reasons import Refused
from core.sites import change_site, find_site
from core.tables import Conversation, Message
from tests.helpers.shop import Shop

Done = TypeVar("Done")

_numbers = count(1)


class AgentAtWork:
    """One agent, available until `leave`."""

    def __init__(self, database: Path, name: str = "Ann") -> None:
        self._engine = open_database(f"sqlite:///{database}")
        self.name = name
        with writing(self._engine) as db:
            self.id = add_agent(db, name, _now()).id or 0

    def invite(self, shop: Shop, text: str = "Can I help?") -> Conversation:
        """Invite the shop's only visit."""
        visit = shop.visit()
        with writing(self._engine) as db:
            invited = invite(
                db,
                site_id=visit["site_id"],
                visit_id=visit["id"],
                agent_id=self.id,
                text=text,
                now=_now(),
            )
        return _done(invited)

    def conversation(self, shop: Shop) -> Conversation:
        """The shop's newest conversation, as it is now."""
        [newest, *_] = shop.rows(
            "SELECT site_id, id FROM conversation WHERE site_id = :site ORDER BY created_at DESC"
        )
        with reading(self._engine) as db:
            found = find_conversation(db, newest["site_id"], newest["id"])
        assert found is not None
        return found

    def say(self, conversation: Conversation, text: str) -> Message:
        with writing(self._engine) as db:
            message = send_as_agent(
                db,
                conversation,
                agent_id=self.id,
                client_id=f"played{next(_numbers):06}",
                text=text,
                now=_now(),
            )
        return _done(message)

    def type(self, conversation: Conversation) -> None:
        with writing(self._engine) as db:
            mark_typing(db, conversation, Author.AGENT, _now())

    def read(self, conversation: Conversation, number: int) -> None:
        with writing(self._engine) as db:
            mark_read(db, conversation, Author.AGENT, number, _now())

    def take(self, conversation: Conversation) -> None:
        with writing(self._engine) as db:
            take_over(db, conversation, self.id, _now())

    def end(self, conversation: Conversation) -> None:
        with writing(self._engine) as db:
            end(db, conversation, ClosedBy.AGENT, _now())

    def block(self, conversation: Conversation) -> None:
        """End it, and let its visitor begin no other."""
        with writing(self._engine) as db:
            _done(block(db, conversation, self.id, _now()))

    def backdate(self, conversation: Conversation, length: timedelta) -> None:
        """Move all that happened in the conversation back by this length."""
        moments = ("created_at", "delivered_at", "shown_at", "accepted_at", "message_at")
        past = {name: getattr(conversation, name) for name in moments}
        earlier = {name: at - length for name, at in past.items() if at is not None}
        with writing(self._engine) as db:
            db.execute(
                update(Conversation)
                .where(col(Conversation.id) == conversation.id)
                .values(revision=conversation.revision + 1, **earlier)
            )

    def backdate_messages(self, conversation: Conversation, length: timedelta) -> None:
        """Move what was said in the conversation back by this length."""
        with writing(self._engine) as db:
            sent_at = type_coerce(col(Message.sent_at), BigInteger)
            earlier = sent_at - length // timedelta(milliseconds=1)
            db.execute(
                update(Message)
                .where(col(Message.conversation_id) == conversation.id)
                .values(sent_at=type_coerce(earlier, BigInteger))
            )

    def vacate(self, conversation: Conversation) -> None:
        """Be gone from the conversation, as when the browser is closed."""
        with writing(self._engine) as db:
            change(db, conversation, _now(), agent_id=0, vacated_at=_now())

    def come_back(self, conversation: Conversation) -> None:
        """Have the conversation again."""
        with writing(self._engine) as db:
            change(db, conversation, _now(), agent_id=self.id, vacated_at=None)

    def backdate_end(self, conversation: Conversation, ago: timedelta) -> None:
        """Make the conversation's end this long ago."""
        with writing(self._engine) as db:
            db.execute(
                update(Conversation)
                .where(col(Conversation.id) == conversation.id)
                .values(closed_at=_now() - ago)
            )

    def show_button(self, shop: Shop) -> None:
        """Give the site its chat button."""
        with writing(self._engine) as db:
            change_site(db, shop.key, chat_button=True)

    def hide_button(self, shop: Shop) -> None:
        """Remove the site's chat button."""
        with writing(self._engine) as db:
            change_site(db, shop.key, chat_button=False)

    def change_look(self, shop: Shop, **changes: Unpack[LookChanges]) -> None:
        """Change what the site's dialog says, and how it looks; returns once the collector has heard of it."""
        with writing(self._engine) as db:
            site = find_site(db, shop.key)
            assert site is not None
            look = payload_of(change_look(db, site.id or 0, **changes), "en")
        address = f"http://127.0.0.1:{shop.gate.collector_port}/embed/chat-en.json?site={shop.key}"
        shop.until(lambda: httpx.get(address).json().items() >= look.items())

    def add_exit_rule(self, shop: Shop, text: str) -> None:
        """Add a rule that invites visitors who are about to leave."""
        with writing(self._engine) as db:
            site = find_site(db, shop.key)
            assert site is not None
            add_rule(
                db,
                site.id or 0,
                _now(),
                trigger=Trigger.EXIT,
                threshold=0,
                text=text,
                is_enabled=True,
            )

    def leave(self) -> None:
        """Become Away."""
        with writing(self._engine) as db:
            change_agent(db, self.id, is_available=False)

    def close(self) -> None:
        self.leave()
        self._engine.dispose()


def _now() -> datetime:
    return datetime.now(UTC)


def _done(result: Done | Refused) -> Done:
    assert not isinstance(result, Refused), result
    return result
