"""POST /v1/conversation/ACTION: what a visitor's side of a chat asks for (docs/chat.md)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine

from collector import answers
from collector.answers import STREAM_START, Answer, Offer
from collector.beacon import Malformed
from collector.body import Receive
from collector.call import Action, Call, read_call
from collector.chat_orders import ORDERS, Told, open_conversation, open_invitation
from collector.directory import TrackedSite
from collector.fault import place_fault
from collector.gate import NO_SITE, Asked, Gate, Scope, Send
from collector.hit import derive_ids
from collector.orders import Orders
from collector.reception import Reception
from collector.salts import Salts
from collector.streams import Stream, Streams, Update, load_update
from core.chat.words import Refused
from core.database import DATABASE_ERRORS, reading
from core.hit import Dropped, Reason
from core.moment import from_milliseconds
from core.tables import Conversation

PREFIX = "/v1/conversation/"
HELD_OPEN = frozenset(f"{PREFIX}{action}" for action in (Action.STREAM, Action.POLL))
"""Paths whose answers take as long as they like, until the collector stops."""

POLL_WAITS = 25.0
"""Seconds until a poll without news is answered: less than any proxy's patience."""

HEARTBEAT_EVERY = 15.0
"""Seconds of silence after which a stream gives a sign of life."""

_HEARTBEAT = b":\n\n"
_LOOK_EVERY = 1.0
_log = logging.getLogger("collector.conversation")
_encode = msgspec.json.Encoder().encode


class ConversationRoute(Struct):
    """An ASGI application for the paths below PREFIX; its fields are what it asks on the way."""

    gate: Gate
    salts: Salts
    engine: Engine
    orders: Orders
    streams: Streams
    reception: Reception
    clock: Callable[[], int]
    readers: dict[Stream, Send] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; a stream and a poll take as long as there is no news."""
        try:
            answer = await self._answer(scope, receive, send)
        except Exception as fault:
            _log.error("chat_call_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            answer = self.gate.drop(NO_SITE, Reason.FAULT)
        if answer is not None:
            with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
                await send(answer.start)
                await send(answer.body)

    async def beat(self) -> None:
        """Give every stream that has been silent for long a sign of life, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            silent = monotonic() - HEARTBEAT_EVERY
            for stream, send in list(self.readers.items()):
                if stream.sent_at <= silent:
                    stream.sent_at = monotonic()
                    with suppress(OSError, RuntimeError):
                        await send(_chunk(_HEARTBEAT))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """None: the client has gone away, or has been answered."""
        name = scope["path"].removeprefix(PREFIX)
        if name not in list(Action):
            return answers.NO_ACTION
        action = Action(name)
        asked = await self.gate.read(scope, receive)
        if not isinstance(asked, Asked):
            return asked
        call = read_call(action, asked.body)
        if isinstance(call, Malformed):
            return self.gate.refuse_malformed(call, asked)
        site = self.gate.admit(call.k, asked)
        if isinstance(site, Answer):
            return site
        if action is Action.STREAM:
            return await self._stream(site, call, receive, send)
        if action is Action.POLL:
            return await self._poll(site, call)
        if action is Action.OPEN:
            return await self._open(site, call, asked)
        return await self._order(site, lambda db, now: ORDERS[action](db, site.id, call, now))

    async def _open(self, site: TrackedSite, call: Call, asked: Asked) -> Answer:
        request = self.gate.request(asked)
        visit_ids: tuple[str, ...] = (call.s,)
        if request.is_private or not call.s:
            salts = await self.salts.find(request.received_at)
            if salts is None:
                return self.gate.drop(site.id, Reason.NOT_COMMITTED)
            visit_ids = derive_ids(request, site, salts)
        if call.r:
            name_of = self.reception.name_of
            return await self._order(
                site, lambda db, now: open_invitation(db, site, visit_ids, call, now, name_of)
            )
        is_attended = self.reception.is_attended
        return await self._order(
            site, lambda db, now: open_conversation(db, site.id, visit_ids, call, is_attended, now)
        )

    async def _order(
        self, site: TrackedSite, order: Callable[[Connection, datetime], Told | Offer | Refused]
    ) -> Answer:
        now = from_milliseconds(self.clock())
        done = await self.orders.perform(lambda db: order(db, now))
        if isinstance(done, Dropped):
            return self.gate.drop(site.id, done.reason)
        if isinstance(done, Refused):
            return self._refuse(site, done)
        self.gate.count("accepted")
        return answers.told(done)

    def _refuse(self, site: TrackedSite, refused: Refused) -> Answer:
        reason = Reason(refused.reason.value)
        answer = self.gate.drop(site.id, reason)
        return answers.no_visit() if reason is Reason.NO_VISIT else answer

    async def _poll(self, site: TrackedSite, call: Call) -> Answer:
        async with self._listening(site, call) as found:
            if isinstance(found, Answer):
                return found
            stream, first = found
            if first.id > call.after:
                return answers.told(first)
            update = None
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_WAITS):
                    while (update := stream.pop()) is None:
                        await stream.wait()
            return answers.told(update) if update else answers.nothing_new()

    async def _stream(
        self, site: TrackedSite, call: Call, receive: Receive, send: Send
    ) -> Answer | None:
        async with self._listening(site, call) as found:
            if isinstance(found, Answer):
                return found
            stream, first = found
            await send(STREAM_START)
            writing = asyncio.create_task(self._write(stream, first, send))
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                writing.cancel()
                with suppress(asyncio.CancelledError, OSError, RuntimeError):
                    await writing
        return None

    async def _write(self, stream: Stream, first: Update, send: Send) -> None:
        """Send each update; end after the last one, or when the reader is too slow."""
        update: Update | None = first
        self.readers[stream] = send
        try:
            while not stream.is_behind:
                if update is None:
                    await stream.wait()
                else:
                    stream.sent_at = monotonic()
                    await send(_chunk(b"id: %d\ndata: %b\n\n" % (update.id, _encode(update))))
                    if update.is_last:
                        break
                update = stream.pop()
        finally:
            del self.readers[stream]
        await send({"type": "http.response.body", "body": b""})

    @asynccontextmanager
    async def _listening(
        self, site: TrackedSite, call: Call
    ) -> AsyncGenerator[tuple[Stream, Update] | Answer]:
        """A stream and what there is already, or the refusal.

        It listens first and looks then, so that nothing is lost in between.
        """
        conversation = await self._find(site, call)
        if not isinstance(conversation, Conversation):
            yield conversation
            return
        stream = self.streams.listen(conversation, call.after)
        try:
            found = await self._look(site, call)
            if isinstance(found, Answer):
                yield found
                return
            stream.revision = max(stream.revision, found.id)
            self.gate.count("accepted")
            yield stream, found
        finally:
            self.streams.leave(conversation, stream)

    async def _find(self, site: TrackedSite, call: Call) -> Conversation | Answer:
        found = await self._load(site, call)
        return found if isinstance(found, Answer) else found[0]

    async def _look(self, site: TrackedSite, call: Call) -> Update | Answer:
        found = await self._load(site, call)
        return found if isinstance(found, Answer) else found[1]

    async def _load(self, site: TrackedSite, call: Call) -> tuple[Conversation, Update] | Answer:
        now = self.clock()

        def load() -> tuple[Conversation, Update] | None:
            with reading(self.engine) as db:
                return load_update(db, self.streams, site.id, call.c, call.after, now)

        try:
            found = await asyncio.to_thread(load)
        except DATABASE_ERRORS:
            return self.gate.drop(site.id, Reason.NOT_COMMITTED)
        return found or self.gate.drop(site.id, Reason.NO_CONVERSATION)


def _chunk(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}
