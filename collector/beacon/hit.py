"""From a beacon to a hit: what the browser said becomes safe and useful."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from collector.beacon.wire import Beacon, WireEvent
from collector.http.admission import RequestDetails
from collector.site_cache import TrackedSite
from core.client import Client
from core.enrich.bot import is_bot
from core.enrich.country import country_of_time_zone
from core.enrich.page_context import CONTEXT_WORDS
from core.enrich.query_keys import keep_query
from core.enrich.source import find_source
from core.enrich.text import (
    LONGEST_ATTRIBUTE,
    LONGEST_ATTRIBUTE_NAME,
    LONGEST_PATH_SENT,
    clean,
    clean_path,
    clean_referrer,
)
from core.enrich.user_agent import read_user_agent
from core.reasons import Reason, Refused
from core.visits.hit import Cart, ChatReport, Event, EventKind, Hit, Opening
from core.visits.visit import MAX_ATTRIBUTES
from core.visits.visit_id import derive_visit_ids

LONGEST_TITLE = 256
LONGEST_CAMPAIGN = 100
LONGEST_CLICK_IDS = 100
LONGEST_QUERY = 1_024
LONGEST_REFERRER_SENT = 2_048
OLDEST_EVENT = 1_800
"""Seconds: an older age is cut to this one; no visitor's clock is trusted."""

OLDEST_ACTIVITY = 86_400
MOST_CART_VALUE = 1e12

_KINDS = {kind.value: kind for kind in EventKind}
_CHAT_REPORTS = {report.value: report for report in ChatReport}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_TIME_ZONE = re.compile(r"[A-Z][A-Za-z_]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_MILLISECONDS = 1_000
_AMOUNT = re.compile(rb'"?(\d{1,13}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,3})?)"?')
_CURRENCY = re.compile(rb'"([A-Za-z]{3})"')


class Enrichment(Struct, frozen=True):
    """What enrichment needs to know. locate: alpha-2 of a client and a country header, or "".

    salts: where the visit's id has to be derived, yesterday's, while visits begun under it may go
    on, and today's.
    """

    locate: Callable[[Client, str], str]
    salts: tuple[str, ...]
    counts_bots: bool


def make_hit(
    beacon: Beacon, request: RequestDetails, site: TrackedSite, known: Enrichment
) -> Hit | Refused:
    """The hit, or why there is none."""
    if not known.counts_bots and _is_bot(beacon, request):
        return Refused(Reason.BOT)
    events = tuple(filter(None, [_read_event(event, request, site) for event in beacon.b]))
    if not events:
        return Refused(Reason.UNKNOWN_KIND if has_unknown(beacon) else Reason.NOTHING_TO_DO)
    is_derived = needs_salts(beacon, request)
    time_zone, zone_country = _find_time_zone(beacon)
    client = request.client
    return Hit(
        site_id=site.id,
        visit_ids=derive_visit_ids(site.id, client.text, request.user_agent, known.salts)
        if is_derived
        else (beacon.s,),
        is_derived=is_derived,
        tab=beacon.t,
        received_at=request.received_at,
        events=events,
        opening=_find_opening(beacon, request, known),
        origin_host=request.origin_host,
        time_zone=time_zone,
        zone_country=zone_country,
        block=client.block,
        wide_block=client.wide_block,
    )


def needs_salts(beacon: Beacon, request: RequestDetails) -> bool:
    """Whether the visit's id has to be derived: the browser keeps none, or its id must not be used."""
    return request.is_private or not beacon.s


def has_unknown(beacon: Beacon) -> bool:
    """Whether an event is of a kind, or a chat's report, that this version does not know."""
    return any(
        event.e not in _KINDS or (event.e == EventKind.CHAT and event.s not in _CHAT_REPORTS)
        for event in beacon.b
    )


def _is_bot(beacon: Beacon, request: RequestDetails) -> bool:
    return is_bot(request.user_agent, brands=request.brands, webdriver=beacon.b[0].wd == 1)


def _read_event(wire: WireEvent, request: RequestDetails, site: TrackedSite) -> Event | None:
    kind = _KINDS.get(wire.e)
    at = request.received_at - _clamp(wire.o, OLDEST_EVENT)
    cart = _read_cart(wire) if wire.cv else None
    if kind is EventKind.CHAT:
        chat = _CHAT_REPORTS.get(wire.s)
        return Event(kind, wire.n, at, _active_at(wire, at), chat=chat, cart=cart) if chat else None
    if kind is EventKind.IDENTIFY:
        pairs = {} if request.is_private else _read_attributes(wire.i)
        return (
            Event(kind, wire.n, at, _active_at(wire, at), attributes=pairs, cart=cart)
            if pairs
            else None
        )
    if kind is None:
        return None
    path = _find_path(wire.u[:LONGEST_PATH_SENT], site.query_keys)
    own = wire.x if wire.x in CONTEXT_WORDS else ""
    signal = wire.xs if wire.xs in CONTEXT_WORDS else ""
    return Event(
        kind,
        wire.n,
        at,
        at if kind is EventKind.VIEW and wire.a is None else _active_at(wire, at),
        path,
        clean(wire.d, LONGEST_TITLE),
        site.find_context(path, wire.q[:LONGEST_QUERY], own, signal),
        bool(own or signal),
        wire.f == 1,
        wire.p,
        cart=cart,
    )


@lru_cache(maxsize=1_024)
def _find_path(path: str, query_keys: frozenset[str]) -> str:
    """The path as it is stored; cached, because many visitors look at the same pages."""
    return keep_query(clean_path(path), query_keys)


def _active_at(wire: WireEvent, at: int) -> int:
    return 0 if wire.a is None else at - _clamp(wire.a, OLDEST_ACTIVITY)


def _clamp(seconds: float, most: int) -> int:
    """The seconds as milliseconds, from 0 to most."""
    return round(min(seconds, most) * _MILLISECONDS) if seconds > 0 else 0


def _read_attributes(pairs: dict[str, str] | None) -> dict[str, str]:
    """The first pairs that have a name and a value."""
    cleaned = {
        name: value
        for name, value in (
            (clean(name, LONGEST_ATTRIBUTE_NAME), clean(value, LONGEST_ATTRIBUTE))
            for name, value in (pairs or {}).items()
        )
        if name and value
    }
    return dict(list(cleaned.items())[:MAX_ATTRIBUTES])


def _read_cart(wire: WireEvent) -> Cart | None:
    """What the page says that the cart is worth; None for what is no amount."""
    amount = _AMOUNT.fullmatch(wire.cv)
    value = float(amount[1]) if amount else -1
    if not 0 <= value <= MOST_CART_VALUE:
        return None
    currency = _CURRENCY.fullmatch(wire.cc)
    return Cart(value, currency[1].decode().upper() if currency else "")


def _find_opening(beacon: Beacon, request: RequestDetails, known: Enrichment) -> Opening | None:
    """Source, browser and country of the visit, from its first page view."""
    for event in beacon.b:
        if event.e == EventKind.VIEW:
            break
    else:
        return None
    arrival = _find_arrival(
        event.r[:LONGEST_REFERRER_SENT],
        event.c[:LONGEST_CAMPAIGN],
        event.m[:LONGEST_CAMPAIGN],
        event.g[:LONGEST_CAMPAIGN],
        event.j[:LONGEST_CLICK_IDS],
        request.origin_host,
    )
    browser = read_user_agent(
        request.user_agent,
        brands=request.brands,
        platform=request.platform,
        mobile=request.mobile,
        touch_points=min(max(event.y, 0), 2),
    )
    return Opening(
        referrer=arrival.referrer,
        source=arrival.source,
        source_kind=arrival.source_kind,
        medium=arrival.medium,
        campaign=arrival.campaign,
        browser=browser.browser,
        os=browser.os,
        device=browser.device,
        country=known.locate(request.client, request.country_hint),
        language=event.l if _LANGUAGE.fullmatch(event.l) else "",
        visitor_id="" if request.is_private else beacon.w,
    )


@lru_cache(maxsize=2_048)
def _find_arrival(
    referrer: str, source: str, medium: str, campaign: str, click_ids: str, own_host: str
) -> Opening:
    """The source of a visit; cached, because many visitors share it."""
    referrer = clean_referrer(referrer)
    medium = clean(medium, LONGEST_CAMPAIGN)
    found = find_source(
        referrer=referrer,
        own_host=own_host,
        utm_source=clean(source, LONGEST_CAMPAIGN),
        utm_medium=medium,
        click_ids=clean(click_ids, LONGEST_CLICK_IDS),
    )
    return Opening(
        referrer=referrer,
        source=found.label,
        source_kind=found.kind.value,
        medium=medium,
        campaign=clean(campaign, LONGEST_CAMPAIGN),
    )


def _find_time_zone(beacon: Beacon) -> tuple[str, str]:
    for event in beacon.b:
        if event.z:
            return _read_time_zone(event.z[:100])
    return "", ""


@lru_cache(maxsize=1_024)
def _read_time_zone(name: str) -> tuple[str, str]:
    """The time zone and its country."""
    return (name, country_of_time_zone(name)) if _TIME_ZONE.fullmatch(name) else ("", "")
