"""The open streams of visitors: each is told what changes in its conversation, and only that.

A stream costs a few kilobytes and no work while nothing is said: there is one feed for all of them,
and one timer for all heartbeats.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from time import monotonic

from msgspec import Struct
from sqlalchemy import Connection

from collector.board import Board
from collector.reception import Reception
from core.chat.conversations import find_by_token
from core.chat.words import OPEN_STATES, TYPING_FOR, Author
from core.moment import to_milliseconds
from core.queries.chats import Changes, messages
from core.tables import Conversation, Message

MOST_BEHIND = 64
"""Updates that wait for one reader; a slower one is cut off, and comes again where it was."""

Key = tuple[int, str]


class Line(Struct):
    """A message as it travels: number, 1 of an agent, text, seconds ago, client id, name."""

    n: int
    a: int
    x: str
    o: int
    i: str
    f: str


class Update(Struct, rename={"sender": "from"}):
    """A conversation as it travels, with the messages that are new (docs/chat.md)."""

    id: int
    state: str
    sender: str
    typing: int
    read: int
    by: str
    m: list[Line]

    @property
    def is_last(self) -> bool:
        """Whether nothing more will be said."""
        return self.state not in OPEN_STATES


class Stream:
    """One reader of a conversation, from a revision on."""

    def __init__(self, after: int) -> None:
        self.revision = after
        self.is_behind = False
        self.sent_at = monotonic()
        self._updates: deque[Update] = deque()
        self._arrived = asyncio.Event()

    def push(self, update: Update) -> None:
        """Hold the update until it is read."""
        if len(self._updates) >= MOST_BEHIND:
            self.is_behind = True
        else:
            self._updates.append(update)
        self._arrived.set()

    def pop(self) -> Update | None:
        """The oldest update above the stream's revision, or None for now."""
        while self._updates:
            update = self._updates.popleft()
            if update.id > self.revision:
                self.revision = update.id
                return update
        self._arrived.clear()
        return None

    async def wait(self) -> None:
        """Until something has arrived."""
        await self._arrived.wait()


class Streams:
    """The streams by conversation. Used on the event loop only, but for `told`."""

    def __init__(self, board: Board, reception: Reception) -> None:
        self._board = board
        self._reception = reception
        self._of: defaultdict[Key, set[Stream]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tell, on this loop."""
        self._loop = loop

    def told(self, changes: Changes) -> None:
        """Take what the feed has found; called on its thread."""
        self._reception.meet(each.agent_id for each in changes.conversations)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._publish, changes)

    def listen(self, conversation: Conversation, after: int) -> Stream:
        """A new stream of the conversation; it is to be given what is there already."""
        stream = Stream(after)
        self._of[conversation.site_id, conversation.id].add(stream)
        return stream

    def leave(self, conversation: Conversation, stream: Stream) -> None:
        """Forget the stream."""
        key = (conversation.site_id, conversation.id)
        self._of[key].discard(stream)
        if not self._of[key]:
            del self._of[key]

    def update(
        self, conversation: Conversation, said: Iterable[Message], now: int | None = None
    ) -> Update:
        """What a reader is told; `now`: the moment from which the messages' age counts."""
        typing_at = conversation.agent_typing_at
        moment = now if now is not None else conversation.revision
        return Update(
            id=conversation.revision,
            state=conversation.state,
            sender=self._reception.name_of(conversation.agent_id),
            typing=int(
                typing_at is not None and _age(to_milliseconds(typing_at), moment) < _TYPING
            ),
            read=conversation.visitor_read,
            by=conversation.closed_by,
            m=[self._line(message, moment) for message in said],
        )

    def _line(self, message: Message, now: int) -> Line:
        return Line(
            n=message.number,
            a=int(message.author == Author.AGENT),
            x=message.text,
            o=_age(to_milliseconds(message.sent_at), now),
            i=message.client_id,
            f=self._reception.name_of(message.agent_id),
        )

    def _publish(self, changes: Changes) -> None:
        self._board.take(changes)
        said: defaultdict[Key, list[Message]] = defaultdict(list)
        for message in changes.messages:
            said[message.site_id, message.conversation_id].append(message)
        for conversation in changes.conversations:
            key = (conversation.site_id, conversation.id)
            if streams := self._of.get(key):
                update = self.update(conversation, said[key])
                for stream in streams:
                    stream.push(update)


def load_update(
    db: Connection, streams: Streams, site_id: int, token: str, after: int, now: int
) -> tuple[Conversation, Update] | None:
    """The conversation with this token and what was said after the revision; None: no such token."""
    conversation = find_by_token(db, site_id, token)
    if conversation is None:
        return None
    new = [m for m in messages(db, site_id, conversation.id) if m.revision > after]
    return conversation, streams.update(conversation, new, now)


def _age(at: int, now: int) -> int:
    """Whole seconds."""
    return max(now - at, 0) // 1000


_TYPING = TYPING_FOR.total_seconds()
