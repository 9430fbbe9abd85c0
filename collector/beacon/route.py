"""POST /v1/beacon: the hot path. Each step may refuse; who passes them all is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from collector.beacon.hit import Enrichment, RequestDetails, has_unknown, make_hit, needs_salts
from collector.beacon.wire import Beacon, Malformed, read_beacon
from collector.chat.offers import Offers
from collector.http import responses
from collector.http.admission import NO_SITE, Admission, ReceivedRequest, Scope, Send
from collector.http.body import Receive
from collector.http.client import Client
from collector.http.responses import Response
from collector.salts import Salts
from collector.site_cache import TrackedSite
from collector.writing.faults import place_fault
from collector.writing.writer import MAX_WAITING, Writer
from core.reasons import Reason, Refused

PATH = "/v1/beacon"

_log = logging.getLogger("collector.beacon")


class BeaconRoute(Struct):
    """An ASGI application for one path; its fields are what it asks on the way."""

    admission: Admission
    salts: Salts
    locate: Callable[[Client, str], str]
    counts_bots: bool
    writer: Writer
    offers: Offers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what no try of ours can store is a 400: the embed discards it."""
        try:
            response = await self._respond(scope, receive)
        except Exception as fault:
            _log.error("beacon_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            response = self.admission.drop(NO_SITE, Reason.FAULT)
        if response is not None:
            with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
                await send(response.start)
                await send(response.body)

    async def _respond(self, scope: Scope, receive: Receive) -> Response | None:
        """None: the client has gone away."""
        received = await self.admission.read(scope, receive)
        if not isinstance(received, ReceivedRequest):
            return received
        beacon = read_beacon(received.body)
        if isinstance(beacon, Malformed):
            return self.admission.refuse_malformed(beacon, received)
        site = self.admission.admit(beacon.k, received)
        if isinstance(site, Response):
            return site
        return await self._commit(beacon, self.admission.details(received), site)

    async def _commit(self, beacon: Beacon, request: RequestDetails, site: TrackedSite) -> Response:
        is_derived = needs_salts(beacon, request)
        salts = await self.salts.find(request.received_at) if is_derived else ()
        if salts is None:
            return self.admission.drop(site.id, Reason.NOT_COMMITTED)
        known = Enrichment(self.locate, salts, self.counts_bots)
        hit = make_hit(beacon, request, site, known)
        if isinstance(hit, Refused):
            return self.admission.drop(site.id, hit.reason)
        if len(hit.events) < len(beacon.b) and has_unknown(beacon):
            self.admission.counters.drop(site.id, Reason.UNKNOWN_KIND, request.received_at)
        taken = await self.writer.take(hit)
        if isinstance(taken, Refused):
            return self.admission.drop(site.id, taken.reason)
        if hit.origin_host:
            self.admission.counters.origin(site.id, hit.origin_host)
        self.admission.count("accepted")
        offer = await self.offers.find(site, hit, taken)
        return responses.accepted(taken.visit_id, self._interval(), taken.wants_time_zone, offer)

    def _interval(self) -> int:
        """Seconds to the next presence beacon: fewer of them while the queue is long."""
        seconds = self.offers.presence_seconds
        depth = self.writer.depth
        if depth < MAX_WAITING // 8:
            return seconds
        return seconds * (2 if depth < MAX_WAITING // 4 else 3)
