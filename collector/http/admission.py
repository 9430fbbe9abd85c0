"""What every call of a website passes: method, size, address, rate, site, origin. Each may refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from collector.beacon.hit import RequestDetails
from collector.beacon.wire import MAX_BYTES, Malformed
from collector.http import responses
from collector.http.body import BodyReader, Receive
from collector.http.client import Client, Clients
from collector.http.origin import NO_ORIGIN, Origin, is_allowed, read_origin
from collector.http.rate_limit import RateLimiter
from collector.http.responses import Response
from collector.site_cache import SiteCache, TrackedSite
from collector.writing.counters import Counters
from core.enrich.user_agent import LONGEST_USER_AGENT
from core.reasons import Reason

NO_SITE = 0
_LONGEST_HINT = 256
_PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]


class ReceivedRequest(NamedTuple):
    """A request whose body was read."""

    headers: Headers
    body: bytes
    client: Client
    origin: Origin


class Admission(Struct):
    """What it asks on the way; `count` takes the result of each call, for the metrics."""

    clock: Callable[[], int]
    bodies: BodyReader
    clients: Clients
    limiter: RateLimiter
    site_cache: SiteCache
    country_header: bytes
    counters: Counters
    count: Callable[[str], None]

    async def read(self, scope: Scope, receive: Receive) -> ReceivedRequest | Response | None:
        """The request with its body, or why not; None: the client has gone away."""
        if scope["method"] != "POST":
            return responses.PREFLIGHT if scope["method"] == "OPTIONS" else responses.NOT_ALLOWED
        headers = _read_headers(scope["headers"])
        if b"content-encoding" in headers:
            return self.drop(NO_SITE, Reason.ENCODED)
        if _announces_too_much(headers):
            return self.drop(NO_SITE, Reason.TOO_LARGE)
        try:
            body = await self.bodies.read(receive)
        except TimeoutError:
            return responses.TOO_SLOW
        if body is None:
            return None
        if len(body) > MAX_BYTES:
            return self.drop(NO_SITE, Reason.TOO_LARGE)
        peer = scope["client"]
        client = self.clients.find(peer[0] if peer else "", headers.get(b"x-forwarded-for"))
        origin = read_origin(headers[b"origin"]) if b"origin" in headers else NO_ORIGIN
        return ReceivedRequest(headers, body, client, origin)

    def refuse_malformed(self, wrong: Malformed, received: ReceivedRequest) -> Response:
        """400 with one line that says where; it counts towards the rate as any other."""
        if wait := self.limiter.take(received.client.block):
            self.drop(NO_SITE, Reason.RATE_LIMIT)
            return responses.too_many(wait)
        self.drop(NO_SITE, Reason.MALFORMED)
        return responses.malformed(wrong.message)

    def admit(self, key: str, received: ReceivedRequest) -> TrackedSite | Response:
        """The site with this key, when the request may speak for it; else the refusal."""
        site = self.site_cache.find(key)
        if wait := self.limiter.take(received.client.block):
            self.drop(site.id if site else NO_SITE, Reason.RATE_LIMIT)
            return responses.too_many(wait)
        if site is None:
            return self.drop(NO_SITE, Reason.UNKNOWN_SITE)
        reason = _refusal(site, received.origin, received.headers)
        return site if reason is None else self.drop(site.id, reason)

    def drop(self, site_id: int, reason: Reason) -> Response:
        """The refusal, counted."""
        self.count(reason)
        self.counters.drop(site_id, reason, self.clock())
        return responses.refused(reason)

    def details(self, received: ReceivedRequest) -> RequestDetails:
        """What the request told beside its body."""
        headers = received.headers
        hint = ""
        if self.country_header and received.client.has_trusted_peer:
            hint = _text(headers, self.country_header, _LONGEST_HINT)
        return RequestDetails(
            received_at=self.clock(),
            client=received.client,
            user_agent=_text(headers, b"user-agent", LONGEST_USER_AGENT),
            brands=_text(headers, b"sec-ch-ua", _LONGEST_HINT),
            platform=_text(headers, b"sec-ch-ua-platform", _LONGEST_HINT),
            mobile=_text(headers, b"sec-ch-ua-mobile", _LONGEST_HINT),
            origin_host=received.origin.host,
            country_hint=hint,
            is_private=headers.get(b"sec-gpc") == b"1",
        )


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
