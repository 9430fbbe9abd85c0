"""POST /v1/beacon: the hot path, as a list of steps. A hit that passes them all is committed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any, cast

from collector.beacon.hit import Enrichment, has_unknown, make_hit, needs_salts
from collector.beacon.wire import AcceptedBody, Beacon, read_beacon
from collector.chat.offers import Offers
from collector.http import responses
from collector.http.admission import (
    NO_SITE,
    Admission,
    IncomingRequest,
    RequestDetails,
    Scope,
    Send,
    send_response,
    take_steps,
)
from collector.http.body import Receive
from collector.http.locator import Locate
from collector.http.responses import Response
from collector.salts import Salts
from collector.writing.write_queue import MOST_HITS, WriteQueue
from core.faults import place_fault
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

PATH = "/v1/beacon"

_UNSET: Any = None
_log = logging.getLogger("collector.beacon")


class IncomingBeacon(IncomingRequest):
    """A beacon on its way; what a step has not set yet is None."""

    details: RequestDetails = _UNSET
    salts: tuple[str, ...] = ()
    hit: Hit = _UNSET
    accepted: Accepted = _UNSET

    @property
    def beacon(self) -> Beacon:
        """The decoded body, once `refuse_malformed` has let it pass."""
        return cast(Beacon, self.message)


class BeaconRoute:
    """An ASGI application for one path."""

    def __init__(
        self,
        admission: Admission,
        salts: Salts,
        locate: Locate,
        counts_bots: bool,
        write_queue: WriteQueue,
        offers: Offers,
    ) -> None:
        self.admission = admission
        self.salts = salts
        self.locate = locate
        self.counts_bots = counts_bots
        self.write_queue = write_queue
        self.offers = offers
        self.steps = (
            admission.check_method,
            admission.read_headers,
            admission.read_body,
            admission.find_client,
            self.decode,
            admission.find_site,
            admission.limit_rate,
            admission.refuse_malformed,
            admission.check_site,
            admission.check_origin,
            admission.refuse_own,
            admission.check_purpose,
            self.read_details,
            self.find_salts,
            self.make_hit,
            self.commit,
            self.respond,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what can never be stored is a 400, so that the embed discards it."""
        try:
            response = await take_steps(self.steps, IncomingBeacon(scope, receive))
        except Exception as fault:
            _log.error("beacon_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            response = self.admission.refuse(NO_SITE, Reason.FAULT)
        await send_response(response, send)

    def decode(self, incoming: IncomingBeacon) -> None:
        """The beacon, or why it is none: `refuse_malformed` says so once the rate is known."""
        incoming.message = read_beacon(incoming.body)

    def read_details(self, incoming: IncomingBeacon) -> None:
        """What the headers say of the browser."""
        incoming.details = self.admission.details(incoming)

    def find_salts(self, incoming: IncomingBeacon) -> Awaitable[Response | None] | None:
        """The secrets of the days, only where the visit's id has to be derived."""
        if needs_salts(incoming.beacon, incoming.details):
            return self._wait_for_salts(incoming)
        return None

    async def _wait_for_salts(self, incoming: IncomingBeacon) -> Response | None:
        salts = await self.salts.find(incoming.details.received_at)
        if salts is None:
            return self.admission.refuse(incoming.site.id, Reason.NOT_COMMITTED)
        incoming.salts = salts
        return None

    def make_hit(self, incoming: IncomingBeacon) -> Response | None:
        """The beacon cleaned and enriched; robots, and beacons that say nothing, are refused."""
        beacon, site = incoming.beacon, incoming.site
        known = Enrichment(self.locate, incoming.salts, self.counts_bots)
        hit = make_hit(beacon, incoming.details, site, known)
        if isinstance(hit, Refused):
            return self.admission.refuse(site.id, hit.reason)
        if len(hit.events) < len(beacon.b) and has_unknown(beacon):
            self.admission.counters.drop(site.id, Reason.UNKNOWN_KIND, hit.received_at)
        incoming.hit = hit
        return None

    async def commit(self, incoming: IncomingBeacon) -> Response | None:
        """The rows of the visit are stored."""
        site, hit = incoming.site, incoming.hit
        accepted = await self.write_queue.commit(hit)
        if isinstance(accepted, Refused):
            return self.admission.refuse(site.id, accepted.reason, accepted.retry_after)
        if hit.origin_host:
            self.admission.counters.origin(site.id, hit.origin_host)
        self.admission.count("accepted")
        incoming.accepted = accepted
        return None

    async def respond(self, incoming: IncomingBeacon) -> Response:
        """The visit's id, the pace of presence, and what there is for the chat."""
        accepted = incoming.accepted
        offer = await self.offers.find(incoming.site, incoming.hit, accepted)
        wants_time_zone = int(accepted.wants_time_zone)
        seconds = self.offers.pace(self._interval(), incoming.site, incoming.hit, accepted)
        body = AcceptedBody(accepted.visit_id, seconds, wants_time_zone, offer)
        return responses.ok(body)

    def _interval(self) -> int:
        """Seconds between two presence beacons: fewer of them while the queue is long."""
        seconds = self.offers.presence_seconds
        depth = self.write_queue.depth
        if depth < MOST_HITS // 8:
            return seconds
        return seconds * (2 if depth < MOST_HITS // 4 else 3)
