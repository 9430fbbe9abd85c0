"""POST /v1/beacon: the hot path. Each step may refuse; who passes them all is committed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from collector import answers
from collector.answers import Answer
from collector.beacon import MAX_BYTES, Beacon, Malformed, read_beacon
from collector.body import BodyReader, Receive
from collector.client import Client, Clients
from collector.directory import Directory, TrackedSite
from collector.fault import place_fault
from collector.hit import Enrichment, Request, has_unknown, make_hit, needs_salts
from collector.metrics import Metrics
from collector.origin import NO_ORIGIN, Origin, is_allowed, read_origin
from collector.rate_limit import RateLimiter
from collector.salts import Salts
from collector.tallies import Tallies
from collector.writer import MAX_WAITING, Writer
from core.hit import Dropped, Reason
from core.user_agent import LONGEST_USER_AGENT

PATH = "/v1/beacon"
PRESENCE_SECONDS = 20

_LONGEST_HINT = 256
_NO_SITE = 0
_PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_log = logging.getLogger("collector.beacon")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]


class BeaconRoute(Struct):
    """An ASGI application for one path; its fields are what it asks on the way."""

    clock: Callable[[], int]
    bodies: BodyReader
    clients: Clients
    limiter: RateLimiter
    directory: Directory
    salts: Salts
    locate: Callable[[Client, str], str]
    country_header: bytes
    counts_bots: bool
    writer: Writer
    tallies: Tallies
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what no try of ours can store is a 400: the embed discards it."""
        try:
            answer = await self._answer(scope, receive)
        except Exception as fault:
            _log.error("beacon_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
            answer = self._drop(_NO_SITE, Reason.FAULT)
        if answer is not None:
            with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
                await send(answer.start)
                await send(answer.body)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """None: the client has gone away."""
        if scope["method"] != "POST":
            return answers.PREFLIGHT if scope["method"] == "OPTIONS" else answers.NOT_ALLOWED
        headers = _read_headers(scope["headers"])
        if b"content-encoding" in headers:
            return self._drop(_NO_SITE, Reason.ENCODED)
        if _announces_too_much(headers):
            return self._drop(_NO_SITE, Reason.TOO_LARGE)
        try:
            body = await self.bodies.read(receive)
        except TimeoutError:
            return answers.TOO_SLOW
        if body is None:
            return None
        if len(body) > MAX_BYTES:
            return self._drop(_NO_SITE, Reason.TOO_LARGE)
        peer = scope["client"]
        client = self.clients.find(peer[0] if peer else "", headers.get(b"x-forwarded-for"))
        return await self._take(body, headers, client)

    async def _take(self, body: bytes, headers: Headers, client: Client) -> Answer:
        wait = self.limiter.take(client.block)
        beacon = read_beacon(body)
        site = None if isinstance(beacon, Malformed) else self.directory.find(beacon.k)
        if wait:
            self._drop(site.id if site else _NO_SITE, Reason.RATE_LIMIT)
            return answers.too_many(wait)
        if isinstance(beacon, Malformed):
            self._drop(_NO_SITE, Reason.MALFORMED)
            return answers.malformed(beacon.message)
        if site is None:
            return self._drop(_NO_SITE, Reason.UNKNOWN_SITE)
        origin = read_origin(headers[b"origin"]) if b"origin" in headers else NO_ORIGIN
        reason = _refusal(site, origin, headers)
        if reason is not None:
            return self._drop(site.id, reason)
        return await self._commit(beacon, self._request(headers, client, origin), site)

    async def _commit(self, beacon: Beacon, request: Request, site: TrackedSite) -> Answer:
        is_derived = needs_salts(beacon, request)
        salts = await self.salts.find(request.received_at) if is_derived else ()
        if salts is None:
            return self._drop(site.id, Reason.NOT_COMMITTED)
        known = Enrichment(self.locate, salts, self.counts_bots)
        hit = make_hit(beacon, request, site, known)
        if isinstance(hit, Dropped):
            return self._drop(site.id, hit.reason)
        if len(hit.events) < len(beacon.b) and has_unknown(beacon):
            self.tallies.drop(site.id, Reason.UNKNOWN_KIND, request.received_at)
        taken = await self.writer.take(hit)
        if isinstance(taken, Dropped):
            return self._drop(site.id, taken.reason)
        if hit.origin_host:
            self.tallies.origin(site.id, hit.origin_host)
        self.metrics.beacon("accepted")
        return answers.accepted(taken.visit_id, self._interval(), taken.wants_time_zone)

    def _drop(self, site_id: int, reason: Reason) -> Answer:
        self.metrics.beacon(reason)
        self.tallies.drop(site_id, reason, self.clock())
        return answers.refused(reason)

    def _request(self, headers: Headers, client: Client, origin: Origin) -> Request:
        hint = ""
        if self.country_header and client.has_trusted_peer:
            hint = _text(headers, self.country_header, _LONGEST_HINT)
        return Request(
            received_at=self.clock(),
            client=client,
            user_agent=_text(headers, b"user-agent", LONGEST_USER_AGENT),
            brands=_text(headers, b"sec-ch-ua", _LONGEST_HINT),
            platform=_text(headers, b"sec-ch-ua-platform", _LONGEST_HINT),
            mobile=_text(headers, b"sec-ch-ua-mobile", _LONGEST_HINT),
            origin_host=origin.host,
            country_hint=hint,
            is_private=headers.get(b"sec-gpc") == b"1",
        )

    def _interval(self) -> int:
        """Seconds to the next presence beacon: fewer of them while the queue is long."""
        depth = self.writer.depth
        if depth < MAX_WAITING // 8:
            return PRESENCE_SECONDS
        return PRESENCE_SECONDS * (2 if depth < MAX_WAITING // 4 else 3)


def _read_headers(pairs: Sequence[tuple[bytes, bytes]]) -> Headers:
    """The headers by name; what is sent twice is joined by a comma, as HTTP has it."""
    headers = dict(pairs)
    if len(headers) < len(pairs):
        headers = {
            name: b", ".join(value for other, value in pairs if other == name) for name in headers
        }
    return headers


def _announces_too_much(headers: Headers) -> bool:
    length = headers.get(b"content-length")
    return length is not None and length.isdigit() and int(length[:20]) > MAX_BYTES


def _refusal(site: TrackedSite, origin: Origin, headers: Headers) -> Reason | None:
    if not site.tracking_enabled:
        return Reason.TRACKING_OFF
    if not is_allowed(site.allowed, origin):
        return Reason.ORIGIN
    for name in _PURPOSES:
        if name in headers and _is_ahead_of_time(headers[name]):
            return Reason.PREFETCH
    return None


def _is_ahead_of_time(purpose: bytes) -> bool:
    purpose = purpose.lower()
    return b"prefetch" in purpose or b"prerender" in purpose


def _text(headers: Headers, name: bytes, limit: int) -> str:
    value = headers.get(name)
    return value[:limit].decode("latin-1") if value is not None else ""
