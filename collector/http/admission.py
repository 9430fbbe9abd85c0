"""What every request of a website passes on its way in: a step each, and each step may refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from collector.http import responses
from collector.http.body import MAX_BYTES
from collector.http.json_body import Malformed
from collector.http.rate_limit import RateLimiter, SharedRateLimiter
from collector.http.request_head import Headers
from collector.http.responses import GONE, Response
from collector.origin import NO_ORIGIN, Origin, is_allowed, read_origin
from collector.site_cache import SiteCache, TrackedSite
from collector.writing.counters import Counters
from core.client import UNKNOWN_CLIENT, Client, Clients
from core.enrich.user_agent import LONGEST_USER_AGENT
from core.reasons import Reason
from core.visits.arrivals import NO_SITE

_LONGEST_HINT = 256
_UNSET: Any = None
_PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class RequestDetails(Struct, gc=False):
    """What the request says besides its body. is_private: the browser sends Sec-GPC: 1."""

    received_at: int
    client: Client
    user_agent: str
    brands: str
    platform: str
    mobile: str
    origin_host: str
    country_hint: str
    is_private: bool


class IncomingRequest(Struct):
    """A request, and what the steps so far have found out about it.

    peer: the address that it comes from, "" where it is not known. headers: by name, in small letters. message: the
    decoded body. found_site: the site that it names, if there is one. site: the same, once `check_site` has let the
    request pass.
    """

    method: str
    peer: str
    headers: Headers
    body: bytes = b""
    client: Client = UNKNOWN_CLIENT
    origin: Origin = NO_ORIGIN
    message: Any = None
    found_site: TrackedSite | None = None
    site: TrackedSite = _UNSET


class Admission(Struct):
    """The steps, and what they ask; `count` takes the result of each request, for the metrics."""

    clock: Callable[[], int]
    clients: Clients
    limiter: RateLimiter | SharedRateLimiter
    site_cache: SiteCache
    country_header: bytes
    counters: Counters
    count: Callable[[str], None]

    def check_method(self, incoming: IncomingRequest) -> Response | None:
        """POST; OPTIONS is a preflight."""
        if incoming.method == "POST":
            return None
        return responses.PREFLIGHT if incoming.method == "OPTIONS" else responses.NOT_ALLOWED

    def check_headers(self, incoming: IncomingRequest) -> Response | None:
        """A body that is encoded, or said to be too large, is never read."""
        headers = incoming.headers
        if b"content-encoding" in headers:
            return self.refuse(NO_SITE, Reason.ENCODED)
        if _announces_too_much(headers):
            return self.refuse(NO_SITE, Reason.TOO_LARGE)
        return None

    def check_size(self, incoming: IncomingRequest) -> Response | None:
        """A whole body, or the first bytes of one that is too large; its time is bounded by the connection."""
        return self.refuse(NO_SITE, Reason.TOO_LARGE) if len(incoming.body) > MAX_BYTES else None

    def find_client(self, incoming: IncomingRequest) -> None:
        """The address behind trusted proxies, and the page's origin."""
        headers = incoming.headers
        incoming.client = self.clients.find(incoming.peer, headers.get(b"x-forwarded-for"))
        if b"origin" in headers:
            incoming.origin = read_origin(headers[b"origin"])

    def find_site(self, incoming: IncomingRequest) -> None:
        """The site of the key, if there is one."""
        if not isinstance(incoming.message, Malformed):
            incoming.found_site = self.site_cache.find(incoming.message.k)

    def limit_rate(self, incoming: IncomingRequest) -> Response | None:
        """At most so many requests of one address; malformed ones count too."""
        wait = self.limiter.take(incoming.client.block)
        if not wait:
            return None
        site = incoming.found_site
        return self.refuse(site.id if site else NO_SITE, Reason.RATE_LIMIT, wait)

    def refuse_malformed(self, incoming: IncomingRequest) -> Response | None:
        """One line says where the body is wrong."""
        if not isinstance(incoming.message, Malformed):
            return None
        self.refuse(NO_SITE, Reason.MALFORMED)
        return responses.malformed(incoming.message.message)

    def check_site(self, incoming: IncomingRequest) -> Response | None:
        """A known site, whose tracking is on."""
        site = incoming.found_site
        if site is None:
            return self.refuse(NO_SITE, Reason.UNKNOWN_SITE)
        incoming.site = site
        return None if site.tracking_enabled else self.refuse(site.id, Reason.TRACKING_OFF)

    def check_origin(self, incoming: IncomingRequest) -> Response | None:
        """A page that may report to the site."""
        site = incoming.site
        if is_allowed(site.allowed, incoming.origin):
            return None
        return self.refuse(site.id, Reason.ORIGIN)

    def refuse_own(self, incoming: IncomingRequest) -> Response | None:
        """Not one of the site's own people."""
        site = incoming.site
        return (
            self.refuse(site.id, Reason.OWN_VISIT) if site.is_own(incoming.client.address) else None
        )

    def check_purpose(self, incoming: IncomingRequest) -> Response | None:
        """Not a page that a browser loads ahead of time."""
        headers = incoming.headers
        for name in _PURPOSES:
            if name in headers and _is_ahead_of_time(headers[name]):
                return self.refuse(incoming.site.id, Reason.PREFETCH)
        return None

    def refuse(self, site_id: int, reason: Reason, retry_after: int = 0) -> Response:
        """The refusal, counted. retry_after: in how many seconds it may be tried again, where that is known."""
        self.count(reason)
        self.counters.drop(site_id, reason, self.clock())
        return responses.too_many(reason, retry_after) if retry_after else responses.refused(reason)

    def details(self, incoming: IncomingRequest) -> RequestDetails:
        """What the request says besides its body."""
        headers = incoming.headers
        hint = ""
        if self.country_header and incoming.client.has_trusted_peer:
            hint = _text(headers, self.country_header, _LONGEST_HINT)
        return RequestDetails(
            received_at=self.clock(),
            client=incoming.client,
            user_agent=_text(headers, b"user-agent", LONGEST_USER_AGENT),
            brands=_text(headers, b"sec-ch-ua", _LONGEST_HINT),
            platform=_text(headers, b"sec-ch-ua-platform", _LONGEST_HINT),
            mobile=_text(headers, b"sec-ch-ua-mobile", _LONGEST_HINT),
            origin_host=incoming.origin.host,
            country_hint=hint,
            is_private=headers.get(b"sec-gpc") == b"1",
        )


async def send_response(response: Response, send: Send) -> None:
    """Send it, unless the client has left."""
    if response is GONE:
        return
    with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
        for message in response.messages:
            await send(message)


def _announces_too_much(headers: Headers) -> bool:
    length = headers.get(b"content-length")
    return length is not None and length.isdigit() and int(length[:20]) > MAX_BYTES


def _is_ahead_of_time(purpose: bytes) -> bool:
    purpose = purpose.lower()
    return b"prefetch" in purpose or b"prerender" in purpose


def _text(headers: Headers, name: bytes, limit: int) -> str:
    value = headers.get(name)
    return value[:limit].decode("latin-1") if value is not None else ""
