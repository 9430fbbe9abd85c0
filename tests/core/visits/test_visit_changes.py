"""A past moment of a visit is told by its page views and its changes, to the millisecond."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.visits.hit import Cart, Event, EventKind, Opening
from core.visits.presence import ChangeKind
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit import advance, open_visit
from core.visits.visit_changes import current_page
from core.visits.visit_rows import PageText, VisitRows

START = 1_795_000_000_000
SECOND = 1_000
RANKS = {ChangeKind.SHOWN: 1, ChangeKind.PAGE: 2}
"""Of what is told of the current page of the same moment; a page view has 0."""


def event(kind: EventKind, number: int, at: int, path: str = "/", **more: Any) -> Event:
    return Event(kind, number, at, at, path=path, **more)


class Story:
    """A visit, what it was after each event, and the rows that would be stored of it."""

    def __init__(self) -> None:
        first = event(EventKind.VIEW, 1, START)
        self.visit: TrackedVisit = open_visit(7, "visit", first, Opening())
        self.views: dict[tuple[int, int], Any] = {}
        self.changes: list[Any] = []
        self.was: list[tuple[int, PageText, dict[str, str], tuple[float, str]]] = []
        self.take("t1", first)

    def take(self, tab: str, each: Event) -> None:
        rows = VisitRows()
        advance(self.visit, tab, each, rows)
        self.views |= rows.views
        for key, page in rows.corrections.items():
            if key in self.views:
                self.views[key] = self.views[key]._replace(page=page)
        self.changes += rows.changes
        cart = (self.visit.cart_value, self.visit.cart_currency)
        self.was.append((each.at, current_page(self.visit), dict(self.visit.attributes), cart))

    def page_at(self, moment: int) -> PageText | None:
        """By the rule of docs/schema.md."""
        told: list[Any] = [
            (view.viewed_at, 0, (view.tab, view.number), view.page) for view in self.views.values()
        ]
        told += [
            (change.changed_at, RANKS[change.kind], (change.number, 0), change.page)
            for change in self.changes
            if change.kind in RANKS
        ]
        known = [row for row in told if row[0] <= moment]
        return max(known)[3] if known else None

    def told_at(self, moment: int, kind: ChangeKind) -> Any:
        known = [
            (change.changed_at, change.number, change.told)
            for change in self.changes
            if change.kind is kind and change.changed_at <= moment
        ]
        return json.loads(max(known)[2]) if known else None


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, SECOND, 20 * SECOND, 100 * SECOND]),
        st.sampled_from(["t1", "t2", "t3"]),
        st.sampled_from([EventKind.VIEW, EventKind.PRESENCE, EventKind.HIDDEN, EventKind.IDENTIFY]),
        st.sampled_from(["/", "/a", "/b"]),
        st.sampled_from(["", "Tea", "Cups"]),
        st.sampled_from(["", "Cart"]),
        st.booleans(),
        st.sampled_from([None, Cart(0.0, ""), Cart(12.5, "EUR"), Cart(40.0, "EUR")]),
    ),
    max_size=14,
)


@settings(max_examples=150)
@given(steps)
def test_every_past_moment_is_what_it_was(plan: list[tuple[Any, ...]]) -> None:
    story, at = Story(), START
    pages: dict[str, int] = {"t1": 1}
    for number, (later, tab, kind, path, title, context, focused, cart) in enumerate(plan, 2):
        at += later
        told = {"color": title} if kind is EventKind.IDENTIFY else None
        page = 0 if kind is EventKind.IDENTIFY else pages.get(tab, 0)
        if kind is EventKind.VIEW:
            pages[tab], page = number, 0
        more = {"title": title, "context": context, "sets_context": bool(context)}
        told_more = {"focused": focused, "page": page, "attributes": told, "cart": cart}
        story.take(tab, event(kind, number, at, path, **more, **told_more))

    after_all_of_it = {was[0]: was for was in story.was}
    for moment, page, attributes, (value, currency) in after_all_of_it.values():
        assert story.page_at(moment) == page
        assert (story.told_at(moment, ChangeKind.ATTRIBUTES) or {}) == attributes
        cart = story.told_at(moment, ChangeKind.CART) or {"value": 0.0, "currency": ""}
        assert cart == {"value": value, "currency": currency}
    assert story.page_at(START - 1) is None


def test_what_page_views_tell_is_not_told_again() -> None:
    story = Story()
    story.take("t1", event(EventKind.VIEW, 2, START + SECOND, "/a"))
    story.take("t1", event(EventKind.PRESENCE, 3, START + 2 * SECOND, "/a", focused=True, page=2))
    story.take("t2", event(EventKind.VIEW, 1, START + 3 * SECOND, "/b"))
    story.take("t2", event(EventKind.HIDDEN, 2, START + 4 * SECOND, "/b", page=1))

    assert story.changes == []


def test_tab_that_gets_the_focus_is_told() -> None:
    story = Story()
    story.take("t2", event(EventKind.VIEW, 1, START + SECOND, "/b"))
    story.take("t1", event(EventKind.PRESENCE, 2, START + 2 * SECOND, "/", focused=True, page=1))

    (change,) = story.changes
    assert (change.number, change.kind) == (1, ChangeKind.PAGE)
    assert (change.changed_at, change.page.path) == (START + 2 * SECOND, "/")


def test_view_that_is_corrected_keeps_what_it_was_shown_with() -> None:
    story = Story()
    for number, title in ((2, "One"), (3, "Two")):
        at = START + number * SECOND
        story.take("t1", event(EventKind.PRESENCE, number, at, title=title, focused=True, page=1))

    assert story.views[1, 1].page == ("/", "Two", "")
    assert [(change.changed_at - START, change.page.title) for change in story.changes] == [
        (0, ""),
        (2 * SECOND, "One"),
        (3 * SECOND, "Two"),
    ]


@pytest.mark.parametrize("late", [1, 500])
def test_view_that_comes_late_is_told_at_its_own_moment(late: int) -> None:
    story = Story()
    story.take("t1", event(EventKind.VIEW, 3, START + 3 * SECOND, "/new"))
    story.take("t1", event(EventKind.VIEW, 2, START + 3 * SECOND - late, "/late"))

    assert story.page_at(START + 3 * SECOND - late).path == "/late"  # pyright: ignore[reportOptionalMemberAccess]
    assert story.page_at(START + 3 * SECOND) == current_page(story.visit)
