"""The open streams of visitors: each gets what changes in its conversation, and only that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from collector.chat.attendance import Attendance
from collector.chat.waiting_invitations import WaitingInvitations
from core.chat.queries import Changes
from core.chat.states import OPEN_STATES, Author
from core.chat.typing import typing_until
from core.moment import to_milliseconds
from core.subscribers import Subscriber, Subscribers
from core.tables import Conversation, Message

MOST_BEHIND = 64
"""Updates that one reader may have unread; a slower one is cut off, and comes again where it was."""

MOST_LISTENING = 20
"""Streams of one conversation; a browser needs one. For a further one another is cut off."""

StreamKey = tuple[int, str]
"""The site's id and the conversation's token."""


class MessagePayload(Struct):
    """A message as it travels: number, 1 of an agent, text, seconds ago, client id, name."""

    n: int
    a: int
    x: str
    o: int
    i: str
    f: str


class ConversationUpdate(Struct, rename={"sender": "from"}):
    """A conversation as it travels, with the messages that are new (docs/chat.md)."""

    id: int
    state: str
    sender: str
    typing: int
    read: int
    by: str
    v: int
    no: int
    seen: int
    e: str
    g: str
    m: list[MessagePayload]

    @property
    def revision(self) -> int:
        """The conversation's."""
        return self.id

    @property
    def is_last(self) -> bool:
        """Whether the conversation is over."""
        return self.state not in OPEN_STATES

    def after(self, number: int) -> ConversationUpdate:
        """The update without the messages up to this number."""
        return replace(self, m=[message for message in self.m if message.n > number])


Stream = Subscriber[StreamKey, ConversationUpdate]


class Streams:
    """The streams by conversation. Used on the event loop only, but for `take_changes` and `update`."""

    def __init__(
        self, waiting: WaitingInvitations, attendance: Attendance, clock: Callable[[], int]
    ) -> None:
        self._waiting = waiting
        self._attendance = attendance
        self._clock = clock
        self.subscribers: Subscribers[StreamKey, ConversationUpdate] = Subscribers()

    def take_changes(self, changes: Changes) -> None:
        """Publish what the feed has found; called on its thread."""
        self._attendance.follow(changes.conversations)
        self.subscribers.call_on_loop(self._publish, changes)

    def let_go(self) -> None:
        """End every stream: its client comes again, and asks for what it has not got."""
        self.subscribers.call_on_loop(self.subscribers.end)

    def open(self, key: StreamKey, cut_off: Callable[[], None]) -> Stream:
        """A new stream of what changes in this conversation from now on; `cut_off` ends it at once."""
        others = self.subscribers.of(key)
        if len(others) >= MOST_LISTENING:
            self.subscribers.cut_off(next(iter(others)))
        stream = Stream(key, MOST_BEHIND, cut_off)
        self.subscribers.add(stream)
        return stream

    def update(self, conversation: Conversation, new: Iterable[Message]) -> ConversationUpdate:
        """The conversation and these messages as they travel, with ages as they are now."""
        until = typing_until(conversation, Author.AGENT)
        moment = self._clock()
        return ConversationUpdate(
            id=conversation.revision,
            state=conversation.state,
            sender=self._attendance.name_of(conversation.agent_id),
            typing=0 if until is None else max(to_milliseconds(until) - moment, 0),
            read=conversation.visitor_read,
            by=conversation.closed_by,
            v=int(self._is_to_be_taken(conversation)),
            no=int(self._attendance.is_blocked(conversation.site_id, conversation.visit_id)),
            seen=conversation.agent_read,
            e=conversation.email,
            g=conversation.rating,
            m=[self._payload(message, moment) for message in new],
        )

    def _is_to_be_taken(self, conversation: Conversation) -> bool:
        """Whether its agent had to go, and somebody is there to take it: else nobody is promised."""
        is_vacant = conversation.vacated_at is not None
        return is_vacant and self._attendance.is_attended(conversation.site_id)

    def _payload(self, message: Message, now: int) -> MessagePayload:
        return MessagePayload(
            n=message.number,
            a=int(message.author == Author.AGENT),
            x=message.text,
            o=_age(to_milliseconds(message.sent_at), now),
            i=message.client_id,
            f=self._attendance.name_of(message.agent_id),
        )

    def _publish(self, changes: Changes) -> None:
        self._waiting.take(changes)
        new: defaultdict[tuple[int, str], list[Message]] = defaultdict(list)
        for message in changes.messages:
            new[message.site_id, message.conversation_id].append(message)
        for conversation in changes.conversations:
            key = (conversation.site_id, conversation.token)
            if self.subscribers.of(key):
                update = self.update(conversation, new[conversation.site_id, conversation.id])
                self.subscribers.publish(key, update)


def _age(at: int, now: int) -> int:
    """Whole seconds."""
    return max(now - at, 0) // 1000
