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
from collector.http.visitor_head import VisitorHead, read_visitor_head
from collector.origin import is_allowed
from collector.site_cache import SiteCache, TrackedSite
from collector.writing.counters import Counters
from core.client import UNKNOWN_CLIENT, Client, Clients
from core.reasons import Reason
from core.visits.arrivals import NO_SITE

_UNSET: Any = None

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

    peer: the address that it comes from, "" where it is not known. message: the decoded body. found_site: the site that it names, if there is one. site: the same, once `check_site` has let the
    request pass.
    """

    head: VisitorHead
    peer: str
    body: bytes = b""
    client: Client = UNKNOWN_CLIENT
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

    def read_head(self, method: str, headers: Headers) -> VisitorHead:
        """What a head says; the names of its headers are in small letters."""
        return read_visitor_head(method, headers, self.country_header)

    def check_method(self, incoming: IncomingRequest) -> Response | None:
        """POST; OPTIONS is a preflight."""
        method = incoming.head.method
        if method == "POST":
            return None
        return responses.PREFLIGHT if method == "OPTIONS" else responses.NOT_ALLOWED

    def check_headers(self, incoming: IncomingRequest) -> Response | None:
        """A body that is encoded, or said to be too large, is never read."""
        refusal = incoming.head.refusal
        return None if refusal is None else self.refuse(NO_SITE, refusal)

    def check_size(self, incoming: IncomingRequest) -> Response | None:
        """A whole body, or the first bytes of one that is too large; its time is bounded by the connection."""
        return self.refuse(NO_SITE, Reason.TOO_LARGE) if len(incoming.body) > MAX_BYTES else None

    def find_client(self, incoming: IncomingRequest) -> None:
        """The address behind trusted proxies."""
        incoming.client = self.clients.find(incoming.peer, incoming.head.forwarded)

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
        if is_allowed(site.allowed, incoming.head.origin):
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
        if incoming.head.is_ahead_of_time:
            return self.refuse(incoming.site.id, Reason.PREFETCH)
        return None

    def refuse(self, site_id: int, reason: Reason, retry_after: int = 0) -> Response:
        """The refusal, counted. retry_after: in how many seconds it may be tried again, where that is known."""
        self.count(reason)
        self.counters.drop(site_id, reason, self.clock())
        return responses.too_many(reason, retry_after) if retry_after else responses.refused(reason)

    def details(self, incoming: IncomingRequest) -> RequestDetails:
        """What the request says besides its body."""
        head, client = incoming.head, incoming.client
        return RequestDetails(
            received_at=self.clock(),
            client=client,
            user_agent=head.user_agent,
            brands=head.brands,
            platform=head.platform,
            mobile=head.mobile,
            origin_host=head.origin.host,
            country_hint=head.country_hint if client.has_trusted_peer else "",
            is_private=head.is_private,
        )


async def send_response(response: Response, send: Send) -> None:
    """Send it, unless the client has left."""
    if response is GONE:
        return
    with suppress(OSError, RuntimeError):  # uvloop's words for a visitor who has left
        for message in response.messages:
            await send(message)
