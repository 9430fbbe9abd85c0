"""Calls that are held open: a stream of a conversation's updates, and a poll for the next one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine

from collector.chat.held_call import while_connected
from collector.chat.request import ChatAction, ChatRequest
from collector.chat.stream_limit import StreamLimit
from collector.chat.streams import ConversationUpdate, Stream, Streams
from collector.http import responses
from collector.http.admission import Admission, Scope, Send
from collector.http.body import Receive
from collector.http.protocol import cut_off_of
from collector.http.responses import STREAM_START, Response
from collector.site_cache import TrackedSite
from core.chat.closing import is_long_over
from core.chat.queries import messages
from core.chat.store import find_by_token
from core.database import DATABASE_ERRORS, reading
from core.database_threads import DatabaseThreads, NoThread
from core.moment import from_milliseconds
from core.reasons import Reason
from core.tables import Conversation

LOADED_WITHIN = 5.0
"""Seconds that the database may take to say what there is at first."""

_HEARTBEAT = b":\n\n"
_encode = msgspec.json.Encoder().encode


class StreamRoute(Struct):
    """Answers STREAM and POLL."""

    admission: Admission
    engine: Engine
    threads: DatabaseThreads
    streams: Streams
    limit: StreamLimit
    clock: Callable[[], int]

    async def hold(
        self,
        action: ChatAction,
        site: TrackedSite,
        address: str,
        call: ChatRequest,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> Response | None:
        """What there is to answer at once; else None, after the call was answered or has ended.

        It subscribes before it reads, so that nothing is lost in between. An address that may hold no
        more gets what is new by polls, which are not held for it.
        """
        why_not = self.limit.take(address)
        if why_not and action is ChatAction.STREAM:
            return self.admission.refuse(site.id, why_not)
        cut_off = cut_off_of(scope)
        stream = self.streams.open((site.id, call.c), cut_off)
        try:
            found = await self._find(site, call)
            if isinstance(found, Response):
                return found
            conversation, first = found
            stream.begin(conversation.revision)
            number = conversation.message_count
            is_answered = action is ChatAction.POLL and (first.id > call.after or first.is_last)
            if why_not and not is_answered:
                return self.admission.refuse(site.id, why_not)
            self.admission.count("accepted")
            if is_answered:
                return responses.ok(first)
            if action is ChatAction.STREAM:
                work = partial(_write, stream, first, number, send)
            else:
                work = partial(_answer_poll, stream, number, send)
            await while_connected(receive, work, cut_off)
        finally:
            self.streams.subscribers.remove(stream)
            if not why_not:
                self.limit.give_back(address)
        return None

    async def _find(
        self, site: TrackedSite, call: ChatRequest
    ) -> tuple[Conversation, ConversationUpdate] | Response:
        try:
            found = await self.threads.run(partial(self._load, site.id, call), LOADED_WITHIN)
        except (*DATABASE_ERRORS, NoThread):
            return self.admission.refuse(site.id, Reason.NOT_COMMITTED)
        if found is None:
            return self.admission.refuse(site.id, Reason.NO_CONVERSATION)
        if is_long_over(found[0], from_milliseconds(self.clock())):
            return self.admission.refuse(site.id, Reason.OVER)
        return found

    def _load(
        self, site_id: int, call: ChatRequest
    ) -> tuple[Conversation, ConversationUpdate] | None:
        """The conversation, and what is new in it for this reader."""
        with reading(self.engine) as db:
            conversation = find_by_token(db, site_id, call.c)
            if conversation is None:
                return None
            known = messages(db, site_id, conversation.id)
        new = [message for message in known if message.revision > call.after]
        return conversation, self.streams.update(conversation, new)


async def _write(stream: Stream, first: ConversationUpdate, number: int, send: Send) -> None:
    """Send each update, and heartbeats in between; end with the conversation.

    The first one has brought the messages up to this number.
    """
    await send(STREAM_START)
    await send(_chunk(_event(first)))
    if not first.is_last:
        async for update in stream:
            await send(_chunk(_event(update.after(number)) if update else _HEARTBEAT))
            if update and update.is_last:
                break
    await send({"type": "http.response.body", "body": b""})


async def _answer_poll(stream: Stream, number: int, send: Send) -> None:
    update = await stream.first()
    response = responses.ok(update.after(number)) if update else responses.nothing_new()
    for message in response.messages:
        await send(message)


def _event(update: ConversationUpdate) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (update.id, _encode(update))


def _chunk(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}
