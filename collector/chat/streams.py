"""The open streams of visitors: each is told what changes in its conversation, and only that.

A stream costs a few kilobytes and no work while nothing is said: there is one feed for all of them,
and one timer for all signs of life.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from random import uniform
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from collector.chat.attendance import Attendance
from collector.chat.waiting_invitations import WaitingInvitations
from core.chat.limits import TYPING_FOR
from core.chat.queries import Changes
from core.chat.states import OPEN_STATES, Author
from core.moment import to_milliseconds
from core.tables import Conversation, Message

MOST_BEHIND = 64
"""Updates that wait for one reader; a slower one is cut off, and comes again where it was."""

HEARTBEAT_EVERY = 15.0
"""Seconds: a stream is never silent for longer."""

_LOOK_EVERY = 1.0
_TYPING = TYPING_FOR.total_seconds()

MOST_LISTENING = 20
"""Streams of one conversation; a browser needs one. For a further one another is cut off."""

StreamKey = tuple[int, str]


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
    m: list[MessagePayload]

    @property
    def is_last(self) -> bool:
        """Whether nothing more will be said."""
        return self.state not in OPEN_STATES


class Stream:
    """One reader of a conversation: `key` is its site's id and its token."""

    def __init__(self, key: StreamKey, cut_off: Callable[[], None]) -> None:
        self.key = key
        self.cut_off = cut_off
        self._revision = 0
        self._number = 0
        self._updates: deque[ConversationUpdate] = deque()
        self._has_news = asyncio.Event()
        self._beat_at = _next_beat()

    def begin(self, conversation: Conversation) -> None:
        """The reader has the conversation as it is here."""
        self._revision = conversation.revision
        self._number = conversation.message_count

    def push(self, update: ConversationUpdate) -> None:
        """Hold the update until it is read."""
        if len(self._updates) >= MOST_BEHIND:
            self.cut_off()
            return
        self._updates.append(update)
        self._has_news.set()

    def beat(self, now: float) -> None:
        """Wake the reader if it has heard nothing for long; one that is still busy needs no sign."""
        if now >= self._beat_at:
            self._has_news.set()

    async def next(self) -> ConversationUpdate | None:
        """The next update that the reader does not have; None when a sign of life is due."""
        while True:
            while self._updates:
                if (update := self._unknown(self._updates.popleft())) is not None:
                    self._beat_at = _next_beat()
                    return update
            if monotonic() >= self._beat_at:
                self._beat_at = _next_beat()
                return None
            self._has_news.clear()
            await self._has_news.wait()

    def _unknown(self, update: ConversationUpdate) -> ConversationUpdate | None:
        """The update without what came already with the state that the stream began with."""
        if update.id <= self._revision:
            return None
        self._revision = update.id
        said = [line for line in update.m if line.n > self._number]
        if said:
            self._number = said[-1].n
        return update if len(said) == len(update.m) else replace(update, m=said)


class Streams:
    """The streams by conversation. Used on the event loop only, but for `told` and `update`."""

    def __init__(
        self, waiting: WaitingInvitations, attendance: Attendance, clock: Callable[[], int]
    ) -> None:
        self._waiting = waiting
        self._attendance = attendance
        self._clock = clock
        self._of: defaultdict[StreamKey, set[Stream]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tell, on this loop."""
        self._loop = loop

    async def beat(self) -> None:
        """Let every stream that has been silent for long give a sign of life, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            now = monotonic()
            for streams in self._of.values():
                for stream in streams:
                    stream.beat(now)

    def told(self, changes: Changes) -> None:
        """Take what the feed has found; called on its thread."""
        self._attendance.meet(each.agent_id for each in changes.conversations)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._publish, changes)

    def listen(self, key: StreamKey, cut_off: Callable[[], None]) -> Stream:
        """A new stream of this conversation, which is told from now on; `cut_off` ends it."""
        others = self._of[key]
        if len(others) >= MOST_LISTENING:
            next(iter(others)).cut_off()
        stream = Stream(key, cut_off)
        others.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget the stream."""
        streams = self._of[stream.key]
        streams.discard(stream)
        if not streams:
            del self._of[stream.key]

    def update(self, conversation: Conversation, said: Iterable[Message]) -> ConversationUpdate:
        """What a reader is told, with ages as they are now."""
        typing_at = conversation.agent_typing_at
        moment = self._clock()
        return ConversationUpdate(
            id=conversation.revision,
            state=conversation.state,
            sender=self._attendance.name_of(conversation.agent_id),
            typing=int(
                typing_at is not None and _age(to_milliseconds(typing_at), moment) < _TYPING
            ),
            read=conversation.visitor_read,
            by=conversation.closed_by,
            m=[self._line(message, moment) for message in said],
        )

    def _line(self, message: Message, now: int) -> MessagePayload:
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
        said: defaultdict[StreamKey, list[Message]] = defaultdict(list)
        for message in changes.messages:
            said[message.site_id, message.conversation_id].append(message)
        for conversation in changes.conversations:
            if streams := self._of.get((conversation.site_id, conversation.token)):
                update = self.update(conversation, said[conversation.site_id, conversation.id])
                for stream in streams:
                    stream.push(update)


def _age(at: int, now: int) -> int:
    """Whole seconds."""
    return max(now - at, 0) // 1000


def _next_beat() -> float:
    """At different moments, so that streams that began together are not all woken together."""
    return monotonic() + HEARTBEAT_EVERY * uniform(0.6, 0.9)
