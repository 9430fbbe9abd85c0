"""One visit from its first page to its last: what the visitor's page shows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection

from core.frames.past_visits import LISTED_NAMES, visit_at
from core.frames.visitors import visitors_frame
from core.moment import from_milliseconds
from core.tables import PageView, Site, Visit, VisitSpan
from core.visits.labels import duration_label
from core.visits.liveness import is_live, is_tab_in_view
from core.visits.presence import SpanKind
from core.visits.visit_details import (
    find_visit,
    page_views,
    predecessor,
    spans,
    successors,
    visit_as_listed,
)

_MOMENTS = ("last_seen_at", "last_activity_at", "in_view_until")
_VIEW_COLUMNS = [
    "viewed_at",
    "path",
    "title",
    "page_context",
    "seconds",
    "seconds_label",
    "in_view",
]


@dataclass(frozen=True)
class Journey:
    """A visit at one moment.

    visit: its row in the table: first source, campaign and medium, referrer, entry page, language,
    time zone, attributes. listed: its row in the visitors frame: name, country and flag, browser,
    os, device, context, labels; its status and in_view mean something only while is_live.
    page_views: in the order shown: viewed_at (UTC), path, title, page_context, seconds (in view,
    int), seconds_label, in_view (the seconds are still growing). follows and followed_by: the
    visits before and after this one in the same browser, as far as they are known: always after 30
    quiet minutes of one page, and where the site remembers visitors.
    """

    as_of: datetime
    visit: Visit
    listed: pd.Series[Any]
    is_live: bool
    page_views: pd.DataFrame
    follows: Visit | None
    followed_by: Sequence[Visit]


def visitor_at(
    db: Connection, site: Site, visit_id: str, moment: datetime, now: datetime
) -> Journey | None:
    """The visit as it stood at `moment`; None when the site had no visit of this id then.

    now: at that moment, and after it, the visit as it stands. At a past moment the pages of the list have the titles
    that they told last, and the other visits are those that had begun.
    """
    site_id, moment = cast(int, site.id), min(moment, now)
    visit = find_visit(db, site_id, visit_id)
    if visit is None:
        return None
    if moment < now:
        past = visit_at(db, site_id, visit_id, moment)
        if past is None:
            return None
        listed = past.listed(db, [0])
        visit = _visit_at(visit, dict(zip(LISTED_NAMES, listed[0], strict=True)))
    else:
        listed = visit_as_listed(db, site_id, visit_id)
    return Journey(
        as_of=moment,
        visit=visit,
        listed=visitors_frame(listed, moment, [site]).iloc[0],
        is_live=is_live(visit, moment),
        page_views=_views_frame(
            [view for view in page_views(db, site_id, visit_id) if view.viewed_at <= moment],
            [
                span
                for span in spans(db, site_id, visit_id, SpanKind.IN_VIEW)
                if span.from_at <= moment
            ],
            moment,
        ),
        follows=predecessor(db, visit),
        followed_by=[each for each in successors(db, visit) if each.started_at <= moment],
    )


def _visit_at(visit: Visit, listed: Mapping[str, Any]) -> Visit:
    """The row with what it had of the columns of the live list. Of a chat only whether it was going on."""
    in_chat = from_milliseconds(listed["chat_message_at"]) if listed["chat_source"] else None
    columns: dict[str, Any] = visit.model_dump() | {
        **{name: listed[name] for name in ("page_count", "page_context", "country")},
        **{name: from_milliseconds(listed[name]) for name in _MOMENTS},
        "current_path": listed["path"],
        "current_title": listed["title"],
        "attributes": json.loads(listed["attributes"]),
        "cart_value": listed["cart_value"],
        "cart_currency": listed["cart_currency"],
        "chat_source": listed["chat_source"],
        "chat_message_at": in_chat,
    }
    return Visit(**columns)


def _views_frame(
    views: Sequence[PageView], in_view: Sequence[VisitSpan], now: datetime
) -> pd.DataFrame:
    """A view lasts until its tab's next one; its seconds are those of it that were in view."""
    by_tab: defaultdict[int, list[VisitSpan]] = defaultdict(list)
    for span in in_view:
        by_tab[span.tab].append(span)
    next_at: dict[int, datetime] = {}
    rows: list[dict[str, Any]] = []
    for view in reversed(views):
        until = next_at.get(view.tab, now)
        seconds = _seconds_in_view(by_tab[view.tab], view.viewed_at, until, now)
        is_last = view.tab not in next_at
        rows.append(
            {
                "viewed_at": view.viewed_at,
                "path": view.path,
                "title": view.title,
                "page_context": view.page_context,
                "seconds": seconds,
                "seconds_label": duration_label(timedelta(seconds=seconds)),
                "in_view": is_last and any(_is_growing(span, now) for span in by_tab[view.tab]),
            }
        )
        next_at[view.tab] = view.viewed_at
    frame = pd.DataFrame(rows[::-1], columns=_VIEW_COLUMNS)
    return frame.assign(
        viewed_at=pd.to_datetime(frame["viewed_at"], utc=True),
        seconds=frame["seconds"].astype("int64"),
        in_view=frame["in_view"].astype("bool"),
    )


def _seconds_in_view(
    spans: Sequence[VisitSpan], from_at: datetime, until_at: datetime, now: datetime
) -> int:
    """Whole seconds of the spans between two moments; a span that goes on reaches to now.

    One that fell silent ends with its last sign of life, as Time on Site does.
    """
    seen = timedelta(0)
    for span in spans:
        ends_at = now if _is_growing(span, now) else span.until_at
        seen += max(min(ends_at, until_at) - max(span.from_at, from_at), timedelta(0))
    return seen // timedelta(seconds=1)


def _is_growing(span: VisitSpan, now: datetime) -> bool:
    """Whether it goes on: at a past moment its end may be known already."""
    return now < span.until_at or (span.is_open and is_tab_in_view(span.until_at, now))
