"""The visitors frame: one row per live visit, with everything that a page shows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Row

from core.chat.states import ConversationState
from core.enrich.country import country_name, flag
from core.moment import to_milliseconds
from core.tables import Conversation, Site
from core.visits.default_order import CONTEXT_ORDER, DEFAULT_ORDER
from core.visits.labels import (
    activity_label,
    duration_label,
    returning_label,
    source_kind_label,
    visitor_label,
    visitor_name,
)
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.liveness import is_chatting, is_idle, is_in_view
from core.visits.money import money_label
from core.visits.presence import Status

UNKNOWN = "Unknown"
"""What is shown where a browser, an operating system or a country is not known."""

_UNNAMED = "Other"
"""What user agent databases call the browser and the system that they do not know."""

CONVERSATION_ORDER = (
    ConversationState.OPEN.value,
    ConversationState.SHOWN.value,
    ConversationState.DELIVERED.value,
    ConversationState.QUEUED.value,
    "",
)
"""The states of a visit's open conversation, the one that has come furthest first; "": none."""

_NAMES = [column.name for column in LIVE_COLUMNS]
_MOMENTS = ("started_at", "last_seen_at", "last_activity_at", "in_view_until")


def visitors_frame(
    rows: Sequence[Row[Any]],
    now: datetime,
    sites: Sequence[Site],
    conversations: Mapping[tuple[int, str], Conversation] | None = None,
) -> pd.DataFrame:
    """The rows of `live_visits` as the pages show them, in the default order.

    sites: those of the rows. conversations: the open one of each visit that has one, by the ids of the
    site and of the visit.

    One row per visit: id, status (a `Status`), in_view, dim, path, title, page_context (in the
    order of CONTEXT_ORDER), source, source_kind (a word to read, "" for direct), browser, os,
    device, country (alpha-2 or ""), country_name, flag, page_count, time_on_site (s),
    time_on_site_label, idle_seconds (s since the last activity), activity_label, started_at,
    last_seen_at, last_activity_at (UTC), visitor_name ("" when the page told none), who (the name,
    else browser and country; never empty), visit_number (0 where the site does not remember
    visitors), returning ("3rd visit", "" for the first), cart_value (0 when not told),
    cart_currency (ISO 4217 or ""), cart ("€120.50", "" when not told), conversation (state of the
    open one, in CONVERSATION_ORDER, or ""), conversation_id, site (its key) and site_name. The
    index is the row's rank in the default order, from 0. An id is a site's own: two sites may have
    visits of the same id.
    """
    raw = pd.DataFrame(dict(zip(_NAMES, zip(*rows, strict=True), strict=False)), columns=_NAMES)
    raw = raw.astype(dict.fromkeys(_MOMENTS, "int64"))
    raw["chat_message_at"] = pd.to_numeric(raw["chat_message_at"])
    moment = to_milliseconds(now)
    started, seen, active = (
        raw[name] for name in ("started_at", "last_seen_at", "last_activity_at")
    )
    in_view = is_in_view(raw, moment)
    quiet = (moment - active).clip(lower=0)
    idle = quiet // 1000
    time_on_site = (seen.mask(in_view, moment) - started).clip(lower=0) // 1000
    names = _text(raw["attributes"], _name)
    visits = [*zip(raw["site_id"].tolist(), raw["id"].tolist(), strict=True)]
    of_id = {site.id: site for site in sites}
    return pd.DataFrame(
        {
            "id": raw["id"].astype("str"),
            "status": _status(is_chatting(raw, moment)),
            "in_view": in_view,
            "dim": is_idle(quiet),
            "path": raw["path"].astype("str"),
            "title": raw["title"].astype("str"),
            "page_context": _page_context(raw["page_context"]),
            "source": _category(raw["source"]),
            "source_kind": _category(raw["source_kind"], source_kind_label),
            "browser": _category(raw["browser"], _known),
            "os": _category(raw["os"], _known),
            "device": _category(raw["device"], _known),
            "country": _category(raw["country"]),
            "country_name": _category(raw["country"], country_name),
            "flag": _category(raw["country"], flag),
            "page_count": raw["page_count"].astype("int64"),
            "time_on_site": time_on_site,
            "time_on_site_label": _text(time_on_site, _duration),
            "idle_seconds": idle,
            "activity_label": _category(idle, _activity),
            "started_at": pd.to_datetime(started, unit="ms", utc=True),
            "last_seen_at": pd.to_datetime(seen, unit="ms", utc=True),
            "last_activity_at": pd.to_datetime(active, unit="ms", utc=True),
            "visitor_name": names,
            "who": _who(names, raw),
            "visit_number": raw["visit_number"].astype("int64"),
            "returning": _category(raw["visit_number"], returning_label),
            "cart_value": raw["cart_value"].astype("float64"),
            "cart_currency": _category(raw["cart_currency"]),
            "cart": _of_pairs(raw["cart_value"], raw["cart_currency"], money_label),
            "conversation": _conversation(visits, conversations or {}),
            "conversation_id": _of_each(
                visits, {visit: each.id for visit, each in (conversations or {}).items()}
            ),
            "site": _category(raw["site_id"], lambda site_id: of_id[site_id].key),
            "site_name": _category(raw["site_id"], lambda site_id: of_id[site_id].name),
        }
    ).sort_values(by=list(DEFAULT_ORDER), ascending=list(DEFAULT_ORDER.values()), ignore_index=True)


def _status(chatting: pd.Series[bool]) -> pd.Series[Any]:
    both = pd.CategoricalDtype([Status.CHATTING.value, Status.BROWSING.value])
    return chatting.map({True: both.categories[0], False: both.categories[1]}).astype(both)


def _who(names: pd.Series[Any], raw: pd.DataFrame) -> pd.Series[Any]:
    anonymous = _of_pairs(raw["browser"], raw["country"], _anonymous)
    return names.mask(names == "", anonymous)


def _conversation(
    visits: Sequence[tuple[int, str]], conversations: Mapping[tuple[int, str], Conversation]
) -> pd.Series[Any]:
    """In CONVERSATION_ORDER; a state of another version counts as none."""
    states = {visit: str(each.state) for visit, each in conversations.items()}
    known = {visit: state for visit, state in states.items() if state in CONVERSATION_ORDER}
    ordered = pd.CategoricalDtype([*CONVERSATION_ORDER], ordered=True)
    return _of_each(visits, known).astype(ordered)


def _of_each(
    visits: Sequence[tuple[int, str]], values: Mapping[tuple[int, str], str]
) -> pd.Series[Any]:
    """The value of each visit, "" for those that have none."""
    return pd.Series([values.get(visit, "") for visit in visits], dtype="str")


def _page_context(stored: pd.Series[Any]) -> pd.Series[Any]:
    """In CONTEXT_ORDER; a context of another version counts as none."""
    names = [context.value for context in CONTEXT_ORDER]
    known = stored.where(stored.isin(names), "")
    return known.astype(pd.CategoricalDtype(names, ordered=True))


def _of_pairs(
    one: pd.Series[Any], other: pd.Series[Any], label: Callable[[Any, Any], str]
) -> pd.Series[Any]:
    """The label of each pair of values, made once for each different pair."""
    pairs = [*zip(one.tolist(), other.tolist(), strict=True)]
    labels = {pair: label(*pair) for pair in set(pairs)}
    return pd.Series([labels[pair] for pair in pairs], dtype="str")


def _text(values: pd.Series[Any], label: Callable[[Any], str] = str) -> pd.Series[Any]:
    """The label of each value, made once for each different one."""
    codes, different = pd.factorize(values)
    labels = pd.Series([label(value) for value in different], dtype="str")
    return labels.take(codes).reset_index(drop=True)


def _category(values: pd.Series[Any], label: Callable[[Any], str] = str) -> pd.Series[Any]:
    codes, different = pd.factorize(values)
    labels = pd.Series([label(value) for value in different], dtype="str").astype("category")
    return labels.take(codes).reset_index(drop=True)


def _anonymous(browser: str, country: str) -> str:
    return visitor_label("", browser, country)


def _known(name: str) -> str:
    return UNKNOWN if name in ("", _UNNAMED) else name


def _duration(seconds: int) -> str:
    return duration_label(timedelta(seconds=int(seconds)))


def _activity(seconds: int) -> str:
    return activity_label(timedelta(seconds=int(seconds)))


def _name(attributes: str) -> str:
    return visitor_name(json.loads(attributes)) if attributes else ""
