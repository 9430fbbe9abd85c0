"""The visitors frame: one row per live visit, with everything that a page shows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.chat.states import ConversationState
from core.enrich.country import country_name, flag
from core.enrich.page_context import PageContext
from core.moment import to_milliseconds
from core.tables import Conversation, Site
from core.visits.default_order import CONTEXT_ORDER
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

NO_CONVERSATIONS: Mapping[tuple[int, str], Conversation] = {}

_TYPES_KEPT = 64
"""From one picture to the next the categories of most columns are the same; to make a type takes longer than to find
the rows' places in it."""

_NAMES = [column.name for column in LIVE_COLUMNS]
_MOMENTS = ("started_at", "last_seen_at", "last_activity_at", "in_view_until")
_NONE_STORED: Mapping[str, Sequence[Any]] = dict.fromkeys(_NAMES, ())


class _Categories(NamedTuple):
    """A type of columns, and the place of each of its names. By the type itself no place can be looked up: to pandas two
    types of the same names in another order are equal."""

    dtype: pd.CategoricalDtype
    places: Mapping[str, int]


@lru_cache(maxsize=_TYPES_KEPT)
def _categories(names: tuple[str, ...], *, ordered: bool = False) -> _Categories:
    dtype = pd.CategoricalDtype(pd.Index(names, dtype=str), ordered)
    return _Categories(dtype, {name: place for place, name in enumerate(names)})


_STATUSES = _categories((Status.CHATTING.value, Status.BROWSING.value))
_CONTEXTS = _categories(tuple(context.value for context in CONTEXT_ORDER), ordered=True)
_STATES = _categories(CONVERSATION_ORDER, ordered=True)


def visitors_frame(
    rows: Sequence[Sequence[Any]],
    now: datetime,
    sites: Sequence[Site],
    conversations: Mapping[tuple[int, str], Conversation] = NO_CONVERSATIONS,
) -> pd.DataFrame:
    """The rows of `live_visits`, or of `PastVisits.listed`, as the pages show them, in their order.

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
    index is the row's place in the default order, from 0. An id is a site's own: two sites may have
    visits of the same id.
    """
    stored = dict(zip(_NAMES, zip(*rows, strict=True), strict=True)) if rows else _NONE_STORED
    moments = SimpleNamespace(
        **{name: np.array(stored[name], dtype="int64") for name in _MOMENTS},
        chat_source=np.array(stored["chat_source"], dtype="object"),
        chat_message_at=np.array(stored["chat_message_at"], dtype="float64"),
    )
    moment = to_milliseconds(now)
    in_view = is_in_view(moments, moment)
    idle = (moment - moments.last_activity_at).clip(min=0) // 1000
    until = np.where(in_view, moment, moments.last_seen_at)
    time_on_site = (until - moments.started_at).clip(min=0) // 1000
    names = _labels(stored["attributes"], _name)
    visits = [*zip(stored["site_id"], stored["id"], strict=True)]
    open_ones = {visit: conversations[visit] for visit in visits if visit in conversations}
    of_id = {site.id: site for site in sites}
    return pd.DataFrame(
        {
            "id": _text(stored["id"]),
            "status": _category(is_chatting(moments, moment).tolist(), _status, _STATUSES),
            "in_view": in_view,
            "dim": is_idle(moments, moment),
            "path": _text(stored["path"]),
            "title": _text(stored["title"]),
            "page_context": _category(stored["page_context"], _known_context, _CONTEXTS),
            "source": _category(stored["source"]),
            "source_kind": _category(stored["source_kind"], source_kind_label),
            "browser": _category(stored["browser"], known_name),
            "os": _category(stored["os"], known_name),
            "device": _category(stored["device"], known_name),
            "country": _category(stored["country"]),
            "country_name": _category(stored["country"], country_name),
            "flag": _category(stored["country"], flag),
            "page_count": np.array(stored["page_count"], dtype="int64"),
            "time_on_site": time_on_site,
            "time_on_site_label": _text(_labels(time_on_site.tolist(), _duration)),
            "idle_seconds": idle,
            "activity_label": _category(idle.tolist(), _activity),
            "started_at": _utc(moments.started_at),
            "last_seen_at": _utc(moments.last_seen_at),
            "last_activity_at": _utc(moments.last_activity_at),
            "visitor_name": _text(names),
            "who": _text(
                _labels(zip(names, stored["browser"], stored["country"], strict=True), _who)
            ),
            "visit_number": np.array(stored["visit_number"], dtype="int64"),
            "returning": _category(stored["visit_number"], returning_label),
            "cart_value": np.array(stored["cart_value"], dtype="float64"),
            "cart_currency": _category(stored["cart_currency"]),
            "cart": _text(
                _labels(zip(stored["cart_value"], stored["cart_currency"], strict=True), _cart)
            ),
            "conversation": _category(
                [str(open_ones[visit].state) if visit in open_ones else "" for visit in visits],
                _known_state,
                _STATES,
            ),
            "conversation_id": _text(
                [open_ones[visit].id if visit in open_ones else "" for visit in visits]
            ),
            "site": _category(stored["site_id"], lambda site_id: of_id[site_id].key),
            "site_name": _category(stored["site_id"], lambda site_id: of_id[site_id].name),
        },
        copy=False,
    )


def known_name(name: str) -> str:
    """What a browser, a system or a device is called: UNKNOWN for those that are not known."""
    return UNKNOWN if name in ("", _UNNAMED) else name


def _status(is_chatting: bool) -> str:
    return (Status.CHATTING if is_chatting else Status.BROWSING).value


def _labels(values: Iterable[Any], label: Callable[[Any], str]) -> list[str]:
    """The label of each value, made once for each different one."""
    values = list(values)
    labels = {value: label(value) for value in set(values)}
    return [labels[value] for value in values]


def _text(texts: Sequence[str]) -> Any:
    return pd.array(texts, dtype="str")


def _category(
    values: Sequence[Any],
    label: Callable[[Any], str] = str,
    categories: _Categories | None = None,
) -> pd.Categorical:
    """The label of each value. categories: which there are; else the labels that there are, in their order."""
    labels = {value: label(value) for value in set(values)}
    dtype, places = categories or _categories(tuple(sorted(set(labels.values()))))
    codes = {value: places[name] for value, name in labels.items()}
    return pd.Categorical.from_codes(
        np.fromiter((codes[value] for value in values), "int32", len(values)), dtype=dtype
    )


def _utc(moments: np.ndarray[Any, Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(moments.astype("datetime64[ms]").astype("datetime64[us]"), tz="UTC")


def _known_context(context: str) -> str:
    """A context of another version counts as none."""
    return context if context in _CONTEXTS.places else PageContext.NONE.value


def _known_state(state: str) -> str:
    """A state of another version counts as none."""
    return state if state in CONVERSATION_ORDER else ""


def _who(name_browser_country: tuple[str, str, str]) -> str:
    return visitor_label(*name_browser_country)


def _cart(value_and_currency: tuple[float, str]) -> str:
    return money_label(*value_and_currency)


def _duration(seconds: int) -> str:
    return duration_label(timedelta(seconds=int(seconds)))


def _activity(seconds: int) -> str:
    return activity_label(timedelta(seconds=int(seconds)))


def _name(attributes: str) -> str:
    return visitor_name(json.loads(attributes)) if attributes else ""
