"""One batch of hits becoming visits, inside one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from collector.writing.clock_jumps import set_back_rows
from collector.writing.statements import SiteEdits, Statements, TabKey
from collector.writing.visit_cache import VisitCache
from collector.writing.visit_limit import UNLIMITED, VisitAllowance
from core.moment import milliseconds
from core.reasons import Reason, Refused
from core.site_changes import note_changes
from core.visits.hit import Accepted, Event, EventKind, Hit
from core.visits.liveness import has_room
from core.visits.presence import COUNT_SLOT
from core.visits.shown import shown_of
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit import (
    advance,
    heal_clock,
    is_ahead,
    is_over,
    learn_time_zone,
    needs_known_tab,
    open_visit,
)
from core.visits.visit_changes import note_page
from core.visits.visit_id import MAX_SUCCESSORS, VisitKey, successor_id
from core.visits.visit_rows import VisitRows
from core.visits.visit_sequence import take_numbers

_SLOT = milliseconds(COUNT_SLOT)


class VisitBatch:
    """The visits that a batch touches: found in memory or loaded at first use, stored once at the end.

    The caller holds the lock of all writers. allowance: how many visits each address may open; what is taken
    counts once the caller keeps it. cache: what the writer has in memory, lent for this transaction.
    """

    def __init__(
        self,
        statements: Statements,
        connection: Connection,
        now: int,
        allowance: VisitAllowance = UNLIMITED,
        cache: VisitCache | None = None,
    ) -> None:
        self._now = now
        self._allowance = allowance
        self._statements = statements
        self._connection = connection
        self._cache = cache or VisitCache()
        self._edits: dict[int, SiteEdits] = {}
        self._visits: dict[VisitKey, TrackedVisit | None] = {}
        self._rows_of: defaultdict[VisitKey, VisitRows] = defaultdict(VisitRows)
        self._visit_numbers: dict[tuple[int, str], int] = {}
        """How many visits a visitor has made, by site and visitor id."""
        self._opened: set[VisitKey] = set()
        self._moved: set[VisitKey] = set()
        self._changed_sites: set[int] = set()
        """Those of which a page shows something else than before this batch."""
        self._shown_before: dict[VisitKey, tuple[Any, ...]] = {}
        """Of the visits of one hit, unless their site has changed anyway."""
        self._learned: set[tuple[VisitKey, str]] = set()
        """The tabs of which is known what is stored of them."""

    def load(self, hits: Iterable[Hit]) -> None:
        """Load in a few statements what the hits will need."""
        of_sites: defaultdict[int, list[Hit]] = defaultdict(list)
        for hit in hits:
            of_sites[hit.site_id].append(hit)
        self._load_edits(of_sites)
        for site_id, of_site in of_sites.items():
            self._load_visits(site_id, {visit_id for hit in of_site for visit_id in hit.visit_ids})
            self._load_known_tabs(site_id, of_site)
            self._load_visit_numbers(
                site_id, {visitor for hit in of_site if (visitor := self._opens_for(hit))}
            )

    def has_site(self, site_id: int) -> bool:
        """Whether the site of a loaded hit exists, and is not being deleted."""
        return self._edits[site_id].is_kept

    def heal(self, site_id: int, visit_ids: Iterable[str]) -> None:
        """Set back what a clock that ran ahead has written of these visits, though nothing comes from them."""
        self._load_visits(site_id, visit_ids)

    def record(self, hit: Hit) -> Accepted | Refused:
        """Take the hit's events into its visit; a page view opens one where there is none."""
        visit = self._current(hit)
        taken: TrackedVisit | None = None
        reason = Reason.NO_VISIT
        taken_at = 0
        for event in hit.events:
            if visit is None or is_over(visit, event):
                if event.kind is not EventKind.VIEW:
                    reason = Reason.NO_VISIT if visit is None else Reason.VISIT_OVER
                    continue
                found = self._open_or_follow(hit, event)
                if isinstance(found, Refused):
                    return found
                visit = found
            self._advance(visit, hit, event)
            taken, taken_at = visit, event.at
        if taken is None:
            return Refused(reason)
        rows = self._rows_of[taken.site_id, taken.id]
        learn_time_zone(taken, hit.time_zone, hit.zone_country, taken_at, rows)
        self._note_what_is_shown()
        return Accepted(
            taken.id,
            not (taken.country or taken.time_zone),
            taken.page_context,
            taken.memory.context_at,
            taken.page_count,
            has_room(taken, taken.id, hit.received_at),
        )

    def store(self) -> None:
        """Write every row that has changed."""
        statements, connection = self._statements, self._connection
        moved = self._those(self._moved)
        self._number_opened()
        statements.store_visits(connection, moved)
        statements.store_rows(
            connection, [(visit, self._rows_of[visit.site_id, visit.id]) for visit in moved]
        )
        statements.move_entries(
            connection,
            [(rows.entry_path, *key) for key, rows in self._rows_of.items() if rows.entry_path],
        )
        statements.add_counts(connection, list(self._counts()))
        note_changes(connection, self._changed_sites, self._now)
        self._remember(moved)

    def _remember(self, moved: Sequence[TrackedVisit]) -> None:
        """Keep what was stored in memory, and say who has written these sites."""
        of_sites: defaultdict[int, list[TrackedVisit]] = defaultdict(list)
        for visit in moved:
            of_sites[visit.site_id].append(visit)
        rows: list[tuple[int, str, int, str]] = []
        for site_id, visits in of_sites.items():
            batch = max(self._edits[site_id].batch + 1, self._now)
            rows.append((site_id, self._cache.writer, batch, ""))
            self._cache.keep(site_id, batch, visits)
        self._statements.store_edits(self._connection, rows)
        self._cache.forget_some(self._now)

    def _number_opened(self) -> None:
        """In the order in which they began, so that neighbours in time are neighbours in the tables."""
        opened = sorted(self._those(self._opened), key=lambda visit: visit.started_at)
        for site_id in sorted({visit.site_id for visit in opened}):
            of_site = [visit for visit in opened if visit.site_id == site_id]
            first = take_numbers(self._connection, site_id, len(of_site))
            for number, visit in enumerate(of_site, first):
                visit.number = number

    def _current(self, hit: Hit) -> TrackedVisit | None:
        """The visit of the hit's id; of derived ids, the newest that follows from them."""
        if not hit.is_derived:
            return self._visit(hit.site_id, hit.visit_ids[0])
        newest = None
        for visit_id in hit.visit_ids:
            newest = self._newest(hit.site_id, visit_id) or newest
            if newest is not None and not is_over(newest, hit.events[0]):
                return newest
        return newest

    def _open_or_follow(self, hit: Hit, event: Event) -> TrackedVisit | Refused:
        """The live successor of the hit's ended visit, or a new visit that this page view opens.

        Refused when its address opens too many, or when the id has had more successors than any honest
        browser needs.
        """
        visit_id, follows = hit.visit_ids[-1], ""
        for ordinal in range(1, MAX_SUCCESSORS):
            visit = self._visit(hit.site_id, visit_id)
            if visit is None:
                wait = self._allowance.take(hit.block, hit.wide_block)
                if wait:
                    return Refused(Reason.TOO_MANY_VISITS, wait)
                return self._open(hit, visit_id, event, follows)
            if not is_over(visit, event):
                return visit
            follows = visit_id
            visit_id = successor_id(hit.site_id, hit.visit_ids[-1], ordinal)
        return Refused(Reason.VISIT_OVER)

    def _open(self, hit: Hit, visit_id: str, event: Event, follows: str) -> TrackedVisit:
        if hit.opening is None:
            raise ValueError("a hit with a page view has no opening")
        key = (hit.site_id, visit_id)
        self._changed_sites.add(hit.site_id)
        visit = self._visits[key] = open_visit(
            hit.site_id,
            visit_id,
            event,
            hit.opening,
            follows,
            self._next_visit_number(hit.site_id, hit.opening.visitor_id),
        )
        self._opened.add(key)
        return visit

    def _next_visit_number(self, site_id: int, visitor_id: str) -> int:
        """The number of a new visit of this visitor; 0 of one who is not remembered."""
        if not visitor_id:
            return 0
        key = (site_id, visitor_id)
        if key not in self._visit_numbers:
            self._load_visit_numbers(site_id, [visitor_id])
        self._visit_numbers[key] += 1
        return self._visit_numbers[key]

    def _advance(self, visit: TrackedVisit, hit: Hit, event: Event) -> None:
        key = (visit.site_id, visit.id)
        rows = self._rows_of[key]
        if self._is_tab_unknown(visit, hit) and needs_known_tab(visit, hit.tab, event):
            self._learn_tabs(visit.site_id, [(visit, hit.tab)])
        self._moved.add(key)
        if visit.site_id not in self._changed_sites and key not in self._shown_before:
            self._shown_before[key] = shown_of(visit, self._now)
        advance(visit, hit.tab, event, rows)

    def _is_tab_unknown(self, visit: TrackedVisit, hit: Hit) -> bool:
        """Whether what is stored of the tab may not have been looked for, as the visit was loaded late, or the tab
        was remembered when the batch began, and has been forgotten for others since."""
        if visit.id in hit.visit_ids and hit.tab in visit.memory.tabs:
            return False
        key = (visit.site_id, visit.id)
        return key not in self._opened and (key, hit.tab) not in self._learned

    def _note_what_is_shown(self) -> None:
        if not self._shown_before:
            return
        for key, before in self._shown_before.items():
            visit = self._visits[key]
            is_corrected = key in self._rows_of and self._rows_of[key].corrections
            if visit and (is_corrected or shown_of(visit, self._now) != before):
                self._changed_sites.add(visit.site_id)
        self._shown_before.clear()

    def _newest(self, site_id: int, first_id: str) -> TrackedVisit | None:
        newest = None
        visit_id = first_id
        for ordinal in range(1, MAX_SUCCESSORS):
            visit = self._visit(site_id, visit_id)
            if visit is None:
                break
            newest = visit
            visit_id = successor_id(site_id, first_id, ordinal)
        return newest

    def _visit(self, site_id: int, visit_id: str) -> TrackedVisit | None:
        key = (site_id, visit_id)
        if key not in self._visits:
            self._load_visits(site_id, [visit_id])
        return self._visits[key]

    def _load_edits(self, site_ids: Iterable[int]) -> None:
        """Before any visit of these sites is looked for in memory."""
        self._edits.update(self._statements.load_edits(self._connection, site_ids))
        for site_id in site_ids:
            self._cache.trust(site_id, self._edits[site_id])

    def _load_visits(self, site_id: int, ids: Iterable[str]) -> None:
        if site_id not in self._edits:
            self._load_edits([site_id])
        unknown: list[str] = []
        for visit_id in ids:
            visit = self._visits[site_id, visit_id] = self._cache.find(site_id, visit_id)
            if visit is None:
                unknown.append(visit_id)
            elif is_ahead(visit, self._now):
                self._set_back(visit)
        if not unknown:
            return
        for visit in self._statements.load_visits(self._connection, site_id, unknown):
            self._visits[site_id, visit.id] = visit
            if is_ahead(visit, self._now):
                self._set_back(visit)

    def _set_back(self, visit: TrackedVisit) -> None:
        """The visit with all its rows, to be stored whatever the hit is."""
        key = (visit.site_id, visit.id)
        self._moved.add(key)
        self._shown_before[key] = shown_of(visit, self._now)
        began = visit.started_at
        heal_clock(visit, self._now)
        note_page(visit, self._now, self._rows_of[key])  # of which all views were at once
        self._note_what_is_shown()
        set_back_rows(
            self._connection, visit.site_id, visit.number, self._now, began, visit.started_at
        )

    def _load_known_tabs(self, site_id: int, hits: Iterable[Hit]) -> None:
        tabs: list[tuple[TrackedVisit, str]] = []
        for hit in hits:
            for visit_id in hit.visit_ids:
                visit = self._visits[site_id, visit_id]
                if visit is not None:
                    needs = (needs_known_tab(visit, hit.tab, event) for event in hit.events)
                    if any(needs):
                        tabs.append((visit, hit.tab))
        if tabs:
            self._learn_tabs(site_id, tabs)

    def _learn_tabs(self, site_id: int, tabs: Sequence[tuple[TrackedVisit, str]]) -> None:
        """Which ordinals tabs have that a visit's memory has not, and which views are stored of tabs."""
        rows_of = {visit.number: self._rows_of[site_id, visit.id] for visit, _ in tabs}
        remembered: set[tuple[int, int]] = set()
        unknown: set[TabKey] = set()
        for visit, tab_id in tabs:
            self._learned.add(((site_id, visit.id), tab_id))
            if (tab := visit.memory.tabs.get(tab_id)) is not None:
                rows_of[visit.number].known_tabs[tab_id] = tab.ordinal
                remembered.add((visit.number, tab.ordinal))
            else:
                unknown.add((visit.number, tab_id))
        if unknown:
            found = self._statements.load_tabs(self._connection, site_id, unknown)
            for number, tab_id, ordinal in found:
                rows_of[number].known_tabs[tab_id] = ordinal
                remembered.add((number, ordinal))
        if remembered:
            views = self._statements.load_views(self._connection, site_id, remembered)
            for number, ordinal, view in views:
                rows_of[number].known_views.add((ordinal, view))

    def _opens_for(self, hit: Hit) -> str:
        """The remembered visitor for whom the hit may open a visit; "" for most hits."""
        if hit.opening is None or not hit.opening.visitor_id:
            return ""
        visit = self._visits[hit.site_id, hit.visit_ids[0]]
        goes_on = visit is not None and not any(is_over(visit, event) for event in hit.events)
        return "" if goes_on else hit.opening.visitor_id

    def _load_visit_numbers(self, site_id: int, visitors: Iterable[str]) -> None:
        visitors = list(visitors)
        if not visitors:
            return
        numbers = self._statements.load_visit_numbers(self._connection, site_id, visitors)
        for visitor_id, number in numbers.items():
            self._visit_numbers[site_id, visitor_id] = number

    def _those(self, keys: set[VisitKey]) -> list[TrackedVisit]:
        return [visit for key in sorted(keys) if (visit := self._visits[key]) is not None]

    def _counts(self) -> Iterator[tuple[int, int, int]]:
        slots: defaultdict[tuple[int, int], int] = defaultdict(int)
        for visit in self._those(self._opened):
            slots[visit.site_id, visit.started_at // _SLOT * _SLOT] += 1
        for (site_id, starts_at), visits in sorted(slots.items()):
            yield site_id, starts_at, visits
