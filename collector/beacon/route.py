"""POST /v1/beacon: the hot path, as a list of steps. A hit that passes them all is committed.

The steps run on the event loop, one after the other, within the call that brings what they wait for: the head,
the body, the result of the commit. A task is needed for what is rare only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from collector.beacon.hit import Enrichment, has_unknown, make_hit, needs_salts
from collector.beacon.wire import AcceptedBody, Beacon, read_beacon
from collector.chat.listener_limit import ListenerLimit
from collector.chat.offers import PRESENCE_SECONDS, Offer, Offers
from collector.http import responses
from collector.http.admission import NO_SITE, Admission, IncomingRequest, RequestDetails
from collector.http.direct_request import GiveAnswer
from collector.http.locator import Locate
from collector.http.public_path import path_at_root, path_of_target
from collector.http.request_head import Headers
from collector.http.responses import Response
from collector.http.steps import LATER, Later, Step, find_next
from collector.http.visitor_head import VisitorHead
from collector.salts import Salts
from collector.writing.write_queue import MOST_HITS, WriteQueue
from core.faults import place_fault
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

PATH = "/v1/beacon"

_UNSET: Any = None
_OF_THE_MACHINE = (ImportError, OSError, MemoryError)
"""Faults that no beacon makes: what is loaded with the first one cannot be, for want of files, say, or while another
version is installed. It comes again."""

_log = logging.getLogger("collector.beacon")


class IncomingBeacon(IncomingRequest):
    """A beacon on its way; what a step has not set yet is None.

    answer: takes the response. steps: those that it has not taken yet. beacon: the decoded body, unless it is
    malformed. result: of the commit. accepted: the same, once `check_committed` has let it pass.
    """

    answer: GiveAnswer = _UNSET
    steps: Iterator[Step] = iter(())
    beacon: Beacon = _UNSET
    details: RequestDetails = _UNSET
    salts: tuple[str, ...] = ()
    hit: Hit = _UNSET
    result: Accepted | Refused = _UNSET
    accepted: Accepted = _UNSET
    offer: Offer | None = None


class BeaconRoute:
    """Answers one path, at the root and below the path of the public address."""

    def __init__(
        self,
        public_path: str,
        admission: Admission,
        salts: Salts,
        locate: Locate,
        counts_bots: bool,
        write_queue: WriteQueue,
        offers: Offers,
        listeners: ListenerLimit,
    ) -> None:
        self.public_path = public_path
        self.admission = admission
        self.salts = salts
        self.known = Enrichment(locate, (), counts_bots)
        self.write_queue = write_queue
        self.offers = offers
        self.listeners = listeners
        self.steps = (
            admission.check_method,
            admission.check_headers,
            self.wait_for_body,
            admission.check_size,
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
            self.check_committed,
            self.find_offer,
            self.respond,
        )
        self._targets = frozenset({PATH.encode(), (quote(public_path) + PATH).encode()})
        self._under_way: set[asyncio.Task[None]] = set()

    def is_at(self, target: bytes) -> bool:
        """Whether a request line with this target asks for the path. Raises HttpParserError for no address."""
        if target in self._targets:
            return True
        return path_at_root(path_of_target(target), self.public_path) == PATH

    def read_head(self, method: str, headers: Headers) -> VisitorHead:
        """What `begin` wants of a head."""
        return self.admission.read_head(method, headers)

    def begin(self, head: VisitorHead, peer: str, answer: GiveAnswer) -> IncomingBeacon:
        """Take a head. `answer` gets the response, now or once there is one; maybe before this returns."""
        incoming = IncomingBeacon(head, peer, answer=answer, steps=iter(self.steps))
        self._go_on(incoming)
        return incoming

    def go_on(self, incoming: IncomingBeacon, body: bytes) -> None:
        """Take the body, of one that is too large only its first bytes."""
        incoming.body = body
        self._go_on(incoming)

    def _go_on(self, incoming: IncomingBeacon) -> None:
        """Take the steps that are left; what can never be stored is a 400, so that the embed discards it."""
        try:
            found = find_next(incoming.steps, incoming)
        except Exception as fault:
            found = self._refuse_fault(incoming, fault)
        if isinstance(found, Response):
            incoming.answer(found)
        elif found is not LATER:
            self._start(incoming, found)

    def _start(self, incoming: IncomingBeacon, step: Awaitable[Response | None]) -> None:
        task = asyncio.get_running_loop().create_task(self._await(incoming, step))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _await(self, incoming: IncomingBeacon, step: Awaitable[Response | None]) -> None:
        try:
            response = await step
        except Exception as fault:
            response = self._refuse_fault(incoming, fault)
        if response is None:
            self._go_on(incoming)
        else:
            incoming.answer(response)

    def _refuse_fault(self, incoming: IncomingBeacon, fault: Exception) -> Response:
        _log.error("beacon_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
        # Once there is a result, the beacon is stored: it need not come again.
        comes_again = isinstance(fault, _OF_THE_MACHINE) and incoming.result is _UNSET
        return self.admission.refuse(NO_SITE, Reason.NOT_LOADED if comes_again else Reason.FAULT)

    def wait_for_body(self, _incoming: IncomingBeacon) -> Later:
        """`go_on` brings it."""
        return LATER

    def decode(self, incoming: IncomingBeacon) -> None:
        """The beacon, or why it is none: `refuse_malformed` says so once the rate is known."""
        message = incoming.message = read_beacon(incoming.body)
        if isinstance(message, Beacon):
            incoming.beacon = message

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
        known, salts = self.known, incoming.salts
        hit = make_hit(
            beacon, incoming.details, site, replace(known, salts=salts) if salts else known
        )
        if isinstance(hit, Refused):
            return self.admission.refuse(site.id, hit.reason)
        if len(hit.events) < len(beacon.b) and has_unknown(beacon):
            self.admission.counters.drop(site.id, Reason.UNKNOWN_KIND, hit.received_at)
        incoming.hit = hit
        return None

    def commit(self, incoming: IncomingBeacon) -> Later:
        """The rows of the visit are stored; the result comes with those of the whole batch."""
        self.write_queue.submit(incoming.hit, partial(self._take_result, incoming))
        return LATER

    def _take_result(self, incoming: IncomingBeacon, result: Accepted | Refused) -> None:
        incoming.result = result
        self._go_on(incoming)

    def check_committed(self, incoming: IncomingBeacon) -> Response | None:
        """What is not stored is refused, with the reason of the writer."""
        site, hit, result = incoming.site, incoming.hit, incoming.result
        if isinstance(result, Refused):
            return self.admission.refuse(site.id, result.reason, result.retry_after)
        incoming.accepted = result
        if hit.origin_host:
            self.admission.counters.origin(site.id, hit.origin_host)
        self.admission.count("accepted")
        return None

    def find_offer(self, incoming: IncomingBeacon) -> Awaitable[None] | None:
        """What there is for the chat; only an invitation that is stored first is waited for."""
        found = self.offers.find(incoming.site, incoming.hit, incoming.accepted)
        if found is None or isinstance(found, Offer):
            incoming.offer = found
            return None
        return self._wait_for_offer(incoming, found)

    async def _wait_for_offer(
        self, incoming: IncomingBeacon, found: Awaitable[Offer | None]
    ) -> None:
        incoming.offer = await found

    def respond(self, incoming: IncomingBeacon) -> Response:
        """The visit's id, the pace of presence, the offer, and whether to listen for an invitation."""
        accepted, offer = incoming.accepted, incoming.offer
        wants_time_zone = int(accepted.wants_time_zone)
        seconds = self.offers.pace(self._interval(), incoming.site, incoming.hit, accepted)
        listens = int(self._is_to_listen(incoming))
        body = AcceptedBody(accepted.visit_id, seconds, wants_time_zone, offer, listens)
        return responses.ok(body)

    def _is_to_listen(self, incoming: IncomingBeacon) -> bool:
        """Whether the browser may have a call open, by which an invitation would reach it at once."""
        if not self.offers.is_open_to(incoming.hit, incoming.accepted, incoming.offer):
            return False
        user_agent = incoming.head.user_agent
        return self.listeners.asks(incoming.site.id, incoming.client.block, user_agent)

    def _interval(self) -> int:
        """Seconds between two presence beacons: fewer of them while the queue is long."""
        seconds = PRESENCE_SECONDS
        depth = self.write_queue.depth
        if depth < MOST_HITS // 8:
            return seconds
        return seconds * (2 if depth < MOST_HITS // 4 else 3)
