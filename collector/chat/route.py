"""POST /v1/conversation/ACTION: what a visitor's side of a chat asks for (docs/chat.md)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from collector.beacon.hit import derive_ids
from collector.beacon.wire import Malformed
from collector.chat.actions import ORDERS, Told, open_conversation, open_invitation
from collector.chat.attendance import Reception
from collector.chat.request import Action, Call, read_call
from collector.chat.stream_route import StreamRoute
from collector.http import responses
from collector.http.admission import NO_SITE, Asked, Gate, Scope, Send
from collector.http.body import Receive
from collector.http.responses import Answer, Offer
from collector.salts import Salts
from collector.site_cache import TrackedSite
from collector.writing.faults import place_fault
from collector.writing.write_queue import Orders
from core.chat.states import Refused
from core.moment import from_milliseconds
from core.visits.hit import Dropped, Reason

PREFIX = "/v1/conversation/"

_log = logging.getLogger("collector.conversation")


class ConversationRoute(Struct):
    """An ASGI application for the paths below PREFIX; its fields are what it asks on the way."""

    gate: Gate
    salts: Salts
    orders: Orders
    streams: StreamRoute
    reception: Reception
    clock: Callable[[], int]

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

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """None: the client has gone away, or has been answered."""
        name = scope["path"].removeprefix(PREFIX)
        if name not in list(Action):
            return responses.NO_ACTION
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
        if action in (Action.STREAM, Action.POLL):
            return await self.streams.hold(action, site, call, scope, receive, send)
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
            site, lambda db, now: open_conversation(db, site, visit_ids, call, is_attended, now)
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
        return responses.told(done)

    def _refuse(self, site: TrackedSite, refused: Refused) -> Answer:
        reason = Reason(refused.reason.value)
        answer = self.gate.drop(site.id, reason)
        return responses.no_visit() if reason is Reason.NO_VISIT else answer
