"""POST /v1/conversation/ACTION: what a visitor's side of a chat asks for (docs/chat.md)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from msgspec import Struct

from collector.chat.actions import ChangeConversation, Invited, InviteOnExit, OpenConversation
from collector.chat.attendance import Attendance
from collector.chat.listen_route import ListenRoute
from collector.chat.offers import Offers
from collector.chat.request import ChatAction, ChatRequest, read_request
from collector.chat.stream_route import StreamRoute
from collector.http import responses
from collector.http.admission import (
    NO_SITE,
    Admission,
    IncomingRequest,
    Scope,
    Send,
    send_response,
)
from collector.http.body import Receive, read_body
from collector.http.request_head import by_name
from collector.http.responses import GONE, Response
from collector.http.steps import take_steps
from collector.salts import Salts
from collector.writing.write_queue import WriteQueue
from core.chat.states import ClosedBy
from core.faults import place_fault
from core.reasons import Reason, Refused
from core.visits.visit_id import derive_visit_ids

PREFIX = "/v1/conversation/"

_OF_VISIT = (ChatAction.OPEN, ChatAction.LISTEN)
"""The actions that name a visit, and no conversation."""

_UNSET: Any = None
_log = logging.getLogger("collector.conversation")


class IncomingAction(IncomingRequest):
    """A chat request on its way. scope, receive and send: a stream answers by itself."""

    scope: Scope = _UNSET
    receive: Receive = _UNSET
    send: Send = _UNSET
    action: ChatAction = _UNSET
    visit_ids: tuple[str, ...] = ()

    @property
    def request(self) -> ChatRequest:
        """The decoded body, once `refuse_malformed` has let it pass."""
        return cast(ChatRequest, self.message)


class ConversationRoute:
    """An ASGI application for the paths below PREFIX."""

    def __init__(
        self,
        admission: Admission,
        salts: Salts,
        write_queue: WriteQueue,
        streams: StreamRoute,
        listening: ListenRoute,
        attendance: Attendance,
        offers: Offers,
        clock: Callable[[], int],
    ) -> None:
        self.admission = admission
        self.salts = salts
        self.write_queue = write_queue
        self.streams = streams
        self.listening = listening
        self.attendance = attendance
        self.offers = offers
        self.clock = clock
        self.steps = (
            self.find_action,
            admission.check_method,
            admission.check_headers,
            self.read_body,
            admission.check_size,
            admission.find_client,
            self.decode,
            admission.find_site,
            admission.limit_rate,
            admission.refuse_malformed,
            admission.check_site,
            admission.check_origin,
            self.refuse_own,
            admission.check_purpose,
            self.hold_stream,
            self.find_visit_ids,
            self.listen,
            self.perform,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a stream and a poll take as long as there is no news."""
        peer = scope["client"][0] if scope["client"] else ""
        head = self.admission.read_head(scope["method"], by_name(scope["headers"]))
        incoming = IncomingAction(head, peer, scope=scope, receive=receive, send=send)
        try:
            response = await take_steps(self.steps, incoming)
        except Exception as fault:
            _log.error("chat_call_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            response = self.admission.refuse(NO_SITE, Reason.FAULT)
        await send_response(response, send)

    def find_action(self, incoming: IncomingAction) -> Response | None:
        """The last part of the path."""
        name = incoming.scope["path"].removeprefix(PREFIX)
        if name not in list(ChatAction):
            return responses.NO_ACTION
        incoming.action = ChatAction(name)
        return None

    async def read_body(self, incoming: IncomingAction) -> Response | None:
        """The body, unless the client has left."""
        body = await read_body(incoming.receive)
        if body is None:
            return GONE
        incoming.body = body
        return None

    def decode(self, incoming: IncomingAction) -> None:
        """The request, or why it is none: `refuse_malformed` says so once the rate is known."""
        incoming.message = read_request(incoming.action, incoming.body)

    def refuse_own(self, incoming: IncomingAction) -> Response | None:
        """Own people begin no chat; one that goes on since before is not cut off, its dialog would wait."""
        if incoming.action not in _OF_VISIT:
            return None
        return self.admission.refuse_own(incoming)

    async def hold_stream(self, incoming: IncomingAction) -> Response | None:
        """A stream and a poll only read, and stay open."""
        if incoming.action not in (ChatAction.STREAM, ChatAction.POLL):
            return None
        response = await self.streams.hold(
            incoming.action,
            incoming.site,
            incoming.client.block,
            incoming.request,
            incoming.scope,
            incoming.receive,
            incoming.send,
        )
        return response or GONE

    async def find_visit_ids(self, incoming: IncomingAction) -> Response | None:
        """Of a call without a token: the ids under which the visit may go on."""
        if incoming.action not in _OF_VISIT:
            return None
        details, visit_id = self.admission.details(incoming), incoming.request.s
        if visit_id and not details.is_private:
            incoming.visit_ids = (visit_id,)
            return None
        salts = await self.salts.find(details.received_at)
        if salts is None:
            return self.admission.refuse(incoming.site.id, Reason.NOT_COMMITTED)
        address, user_agent = details.client.text, details.user_agent
        incoming.visit_ids = derive_visit_ids(incoming.site.id, address, user_agent, salts)
        return None

    async def listen(self, incoming: IncomingAction) -> Response | None:
        """It only reads, and stays open."""
        if incoming.action is not ChatAction.LISTEN:
            return None
        response = await self.listening.hold(
            incoming.site,
            incoming.visit_ids,
            incoming.request.t,
            incoming.client.block,
            incoming.scope,
            incoming.receive,
            incoming.send,
        )
        return response or GONE

    async def perform(self, incoming: IncomingAction) -> Response:
        """The action is committed; its result is the response."""
        result = await self.write_queue.commit(self._action(incoming))
        if isinstance(result, Refused):
            return self._refuse(incoming.site.id, result.reason)
        self.admission.count("accepted")
        return responses.ok(
            self.offers.invitation(result) if isinstance(result, Invited) else result
        )

    def _action(self, incoming: IncomingAction) -> Struct:
        site, request = incoming.site, incoming.request
        if incoming.action is not ChatAction.OPEN:
            return ChangeConversation(
                site_id=site.id,
                action=incoming.action,
                token=request.c,
                client_id=request.n,
                text=request.x,
                read_to=request.to,
                at=self.clock(),
                closed_by=ClosedBy(request.w or ClosedBy.VISITOR),
                email=request.e,
                rating=request.g,
            )
        if request.r:
            return InviteOnExit(
                site.id, site.key, request.r, incoming.visit_ids, request.t, self.clock()
            )
        return OpenConversation(
            site_id=site.id,
            visit_ids=incoming.visit_ids,
            tab=request.t,
            client_id=request.n,
            text=request.x,
            is_offered=site.chat_button,
            is_attended=self.attendance.takes_chats(site),
            at=self.clock(),
            email=request.e,
        )

    def _refuse(self, site_id: int, reason: Reason) -> Response:
        """A chat needs a visit that goes on: its absence is 409 here, not a beacon's 204."""
        response = self.admission.refuse(site_id, reason)
        return responses.no_visit() if reason is Reason.NO_VISIT else response
