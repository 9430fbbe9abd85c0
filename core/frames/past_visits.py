"""The visits that were live at a past moment, as they were then."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from core.enrich.page_context import PageContext
from core.frames.past_told import Told, told_until
from core.moment import milliseconds, to_milliseconds
from core.visits.default_order import CONTEXT_ORDER
from core.visits.live_counts import GROUPED_BY, LiveCounts
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.liveness import is_idle, is_in_view
from core.visits.past_rows import (
    PAST_NAMES,
    chatting_at,
    find_row,
    spans_until,
    visits_as_listed,
    visits_live_at,
)
from core.visits.presence import ACTIVE_FOR, ChatSource

LISTED_NAMES = [column.name for column in LIVE_COLUMNS]
"""Of the columns of `PastVisits.listed`."""

_MOMENTS = ("started_at", "last_seen_at", "last_activity_at", "in_view_until")
_PLACES = {context.value: place for place, context in enumerate(CONTEXT_ORDER)}
_ACTIVE_FOR = milliseconds(ACTIVE_FOR)
_TOLD = ("page_count", "path", "title", "attributes", "cart_value", "cart_currency")
_LONGEST = 2**44
"""Milliseconds, more than any activity may be ago."""


class PastVisits:
    """Visits at a moment, column by column: a visit is a place in each. Moments are milliseconds.

    told: what those had told by then that went on afterwards, by their places; of all others their rows still say it.
    """

    def __init__(self, rows: Sequence[Row[Any]], moment: datetime) -> None:
        columns: Any = zip(*rows, strict=True) if rows else ((),) * len(PAST_NAMES)
        stored: dict[str, list[Any]] = dict(zip(PAST_NAMES, map(list, columns), strict=True))
        self.moment = moment
        self.at = to_milliseconds(moment)
        self.ids, self.site_ids, self.numbers = stored["id"], stored["site_id"], stored["number"]
        self.groups: dict[str, list[str]] = {name: stored[name] for name in GROUPED_BY}
        self.page_context: list[str] = stored["page_context"]
        self.started_at, self.last_seen_at, self.last_activity_at, self.in_view_until = (
            np.array(stored[name], "int64") for name in _MOMENTS
        )
        self.has_chatted = [at is not None for at in stored["chat_started_at"]]
        self.chatting: set[int] = set()
        self.told: dict[int, Told] = {}

    @property
    def in_view(self) -> Any:
        """Whether each was in view."""
        return is_in_view(self, self.at)

    def counts(self) -> LiveCounts:
        """All of them, counted."""
        return LiveCounts(
            online=len(self.ids),
            in_view=int(np.count_nonzero(self.in_view)),
            chatting=len(self.chatting),
            groups={name: Counter(values) for name, values in self.groups.items()},
        )

    def first(self, most: int | None) -> list[int]:
        """The places of the first ones, or of all, in the default order.

        Of those who were Active then (ACTIVE_FOR), who was so last is not kept: they go by their ids.
        """
        quiet = self.at - self.last_activity_at
        quiet[quiet < _ACTIVE_FOR] = 0
        contexts = np.array(
            [_PLACES.get(context, _PLACES[PageContext.NONE]) for context in self.page_context],
            "int64",
        )
        groups = (is_idle(self, self.at) * len(_PLACES) + contexts) * 2 + ~self.in_view
        ranks = groups * _LONGEST + quiet
        places = np.arange(len(ranks))
        if most is not None and most < len(ranks):
            places = places[ranks <= np.partition(ranks, most - 1)[most - 1]]
        ordered = sorted(
            (rank, self.ids[place], self.site_ids[place], place)
            for rank, place in zip(ranks[places].tolist(), places.tolist(), strict=True)
        )
        return [place for *_, place in ordered[:most]]

    def listed(self, db: Connection, places: Sequence[int]) -> list[tuple[Any, ...]]:
        """Those at these places in the columns of the live list (LIVE_COLUMNS), in their order."""
        stored: dict[tuple[int, int], Sequence[Any]] = {}
        for site_id, of_site in self.by_site(places):
            numbers = [self.numbers[place] for place in of_site]
            for number, *row in visits_as_listed(db, site_id, numbers):
                stored[site_id, number] = row
        return [
            self._listed(place, stored[self.site_ids[place], self.numbers[place]])
            for place in places
        ]

    def by_site(self, places: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """The places of each site's visits, by its id."""
        of_sites: defaultdict[int, list[int]] = defaultdict(list)
        for place in places:
            of_sites[self.site_ids[place]].append(place)
        yield from of_sites.items()

    def _listed(self, place: int, stored: Sequence[Any]) -> tuple[Any, ...]:
        is_chatting = place in self.chatting
        then = {
            **{name: int(getattr(self, name)[place]) for name in _MOMENTS},
            "page_context": self.page_context[place],
            "country": self.groups["country"][place],
            "chat_source": (ChatSource.BUILT_IN if is_chatting else ChatSource.NONE).value,
            "chat_message_at": self.at if is_chatting else None,
        }
        if (told := self.told.get(place)) is not None:
            then |= {name: getattr(told, name) for name in _TOLD}
        return tuple((dict(zip(LISTED_NAMES, stored, strict=True)) | then).values())


def visits_at(db: Connection, site_ids: Sequence[int], moment: datetime) -> PastVisits:
    """The visits of the sites that were live at the moment."""
    return _put_back(db, PastVisits(visits_live_at(db, site_ids, moment), moment))


def visit_at(db: Connection, site_id: int, visit_id: str, moment: datetime) -> PastVisits | None:
    """One visit, live or over, at the moment; None when the site had none of this id then."""
    row = find_row(db, site_id, visit_id)
    if row is None or row.started_at > to_milliseconds(moment):
        return None
    return _put_back(db, PastVisits([row], moment))


def _put_back(db: Connection, visits: PastVisits) -> PastVisits:
    """Make them what they were."""
    chatted = [place for place, has_chatted in enumerate(visits.has_chatted) if has_chatted]
    for site_id, places in visits.by_site(chatted):
        place_of = {visits.numbers[place]: place for place in places}
        found = chatting_at(db, site_id, place_of, visits.moment)
        visits.chatting.update(place_of[number] for number in found)
    moved = np.flatnonzero(visits.last_seen_at > visits.at).tolist()
    for site_id, places in visits.by_site(moved):
        place_of = {visits.numbers[place]: place for place in places}
        _put_back_spans(db, visits, site_id, place_of)
        _put_back_words(db, visits, site_id, place_of)
    return visits


def _put_back_spans(
    db: Connection, visits: PastVisits, site_id: int, place_of: Mapping[int, int]
) -> None:
    for span in spans_until(db, site_id, place_of, visits.moment):
        place = place_of[span.number]
        visits.last_activity_at[place] = span.last_activity_at
        visits.last_seen_at[place] = span.last_seen_at
        visits.in_view_until[place] = visits.at + bool(span.is_in_view)


def _put_back_words(
    db: Connection, visits: PastVisits, site_id: int, place_of: Mapping[int, int]
) -> None:
    for number, told in told_until(db, site_id, list(place_of), visits.moment).items():
        place = place_of[number]
        visits.told[place] = told
        visits.page_context[place] = told.page_context
        if not told.has_country:
            visits.groups["country"][place] = ""
