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
from collector.chat.actions import ORDERS, ChatResult, open_conversation, open_invitation
from collector.chat.attendance import Attendance
from collector.chat.request import ChatAction, ChatRequest, read_request
from collector.chat.stream_route import StreamRoute
from collector.http import responses
from collector.http.admission import NO_SITE, Admission, ReceivedRequest, Scope, Send
from collector.http.body import Receive
from collector.http.responses import Offer, Response
from collector.salts import Salts
from collector.site_cache import TrackedSite
from collector.writing.faults import place_fault
from collector.writing.write_queue import WriteQueue
from core.moment import from_milliseconds
from core.reasons import Reason, Refused

PREFIX = "/v1/conversation/"

_log = logging.getLogger("collector.conversation")


class ConversationRoute(Struct):
    """An ASGI application for the paths below PREFIX; its fields are what it asks on the way."""

    admission: Admission
    salts: Salts
    write_queue: WriteQueue
    streams: StreamRoute
    attendance: Attendance
    clock: Callable[[], int]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; a stream and a poll take as long as there is no news."""
        try:
            response = await self._respond(scope, receive, send)
        except Exception as fault:
            _log.error("chat_call_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            response = self.admission.drop(NO_SITE, Reason.FAULT)
        if response is not None:
            with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
                await send(response.start)
                await send(response.body)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """None: the client has gone away, or has been answered."""
        name = scope["path"].removeprefix(PREFIX)
        if name not in list(ChatAction):
            return responses.NO_ACTION
        action = ChatAction(name)
        received = await self.admission.read(scope, receive)
        if not isinstance(received, ReceivedRequest):
            return received
        call = read_request(action, received.body)
        if isinstance(call, Malformed):
            return self.admission.refuse_malformed(call, received)
        site = self.admission.admit(call.k, received)
        if isinstance(site, Response):
            return site
        if action in (ChatAction.STREAM, ChatAction.POLL):
            return await self.streams.hold(action, site, call, scope, receive, send)
        if action is ChatAction.OPEN:
            return await self._open(site, call, received)
        return await self._order(site, lambda db, now: ORDERS[action](db, site.id, call, now))

    async def _open(
        self, site: TrackedSite, call: ChatRequest, received: ReceivedRequest
    ) -> Response:
        details = self.admission.details(received)
        visit_ids: tuple[str, ...] = (call.s,)
        if details.is_private or not call.s:
            salts = await self.salts.find(details.received_at)
            if salts is None:
                return self.admission.drop(site.id, Reason.NOT_COMMITTED)
            visit_ids = derive_ids(details, site, salts)
        if call.r:
            name_of = self.attendance.name_of
            return await self._order(
                site, lambda db, now: open_invitation(db, site, visit_ids, call, now, name_of)
            )
        is_attended = self.attendance.is_attended
        return await self._order(
            site, lambda db, now: open_conversation(db, site, visit_ids, call, is_attended, now)
        )

    async def _order(
        self,
        site: TrackedSite,
        order: Callable[[Connection, datetime], ChatResult | Offer | Refused],
    ) -> Response:
        now = from_milliseconds(self.clock())
        done = await self.write_queue.perform(lambda db: order(db, now))
        if isinstance(done, Refused):
            return self.admission.drop(site.id, done.reason)
        if isinstance(done, Refused):
            return self._refuse(site, done)
        self.admission.count("accepted")
        return responses.ok(done)

    def _refuse(self, site: TrackedSite, refused: Refused) -> Response:
        reason = Reason(refused.reason.value)
        response = self.admission.drop(site.id, reason)
        return responses.no_visit() if reason is Reason.NO_VISIT else response
