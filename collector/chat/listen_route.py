"""LISTEN: a call that a browser in view keeps open, and that ends with the invitation.

Its body is white space until then, which keeps proxies from giving up on it; so it works through those that hold a
response back until it has ended, and needs no second way for them, as an event stream would. A browser asks for one
when a beacon's response says so. The same response brings the invitation, should the call break.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from random import uniform
from time import monotonic
from typing import Any

import msgspec
from msgspec import Struct

from collector.chat.held_call import while_connected
from collector.chat.listener_limit import ListenerLimit
from collector.chat.listeners import Listeners
from collector.chat.offers import Offers
from collector.http.admission import Admission, Scope, Send
from collector.http.body import Receive
from collector.http.protocol import cut_off_of
from collector.http.responses import LISTEN_START, Response
from collector.site_cache import TrackedSite
from core.reasons import Reason

HEARTBEAT_EVERY = 20.0
"""Seconds: less than any proxy's patience, and as often as a page sends a presence."""

LASTS = 240.0
"""Seconds, at most: browsers end a response after 300 (Firefox: network.http.response.timeout)."""

_HEARTBEAT = b"\n"
_NOTHING = b"{}"
_encode = msgspec.json.Encoder().encode


class ListenRoute(Struct):
    """Answers LISTEN."""

    admission: Admission
    limit: ListenerLimit
    listeners: Listeners
    offers: Offers
    clock: Callable[[], int]

    async def hold(
        self,
        site: TrackedSite,
        visit_ids: Sequence[str],
        tab: str,
        address: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> Response | None:
        """NOT_NOW where there is no room; else None, after the call was answered or has ended."""
        if not self.limit.take(site.id, address):
            return self.admission.refuse(site.id, Reason.NOT_NOW)
        keys = [(site.id, visit_id) for visit_id in visit_ids]
        invited = self.listeners.add(keys)
        try:
            self.admission.count("accepted")
            work = partial(self._answer, site, visit_ids, tab, invited, send)
            await while_connected(receive, work, cut_off_of(scope))
        finally:
            self.listeners.remove(keys, invited)
            self.limit.give_back(address)
        return None

    async def _answer(
        self,
        site: TrackedSite,
        visit_ids: Sequence[str],
        tab: str,
        invited: asyncio.Event,
        send: Send,
    ) -> None:
        await send(LISTEN_START)
        ends_at = monotonic() + LASTS * uniform(0.75, 1)  # those that began together end apart
        while True:
            invited.clear()
            offer = await self.offers.news_for(site.id, visit_ids, tab, self.clock())
            if offer is not None or monotonic() >= ends_at:
                break
            while not await _is_set(invited, HEARTBEAT_EVERY) and monotonic() < ends_at:
                await send(_body(_HEARTBEAT, more=True))
        await send(_body(_NOTHING if offer is None else _encode(offer)))


async def _is_set(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


def _body(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
