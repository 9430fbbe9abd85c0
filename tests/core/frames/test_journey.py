"""One visit on its own page: where it came from, each page and the time in view on it."""

from datetime import timedelta

import pytest

from core.database import reading
from core.frames import visitor_at
from core.tables import PageView, VisitSpan

TICK = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def journey(database, site, now):
    """A function that asks for the visit's journey at a moment."""

    def ask(at=now, visit_id="visit"):
        with reading(database) as connection:
            return visitor_at(connection, site, visit_id, at, at)

    return ask


@pytest.fixture
def store_visit(store, make_visit, now):
    """store_visit(views, spans): a visit whose page views and spans begin and end seconds before now.

    views: (tab, number, seconds ago); spans: (tab, from, until, is_open).
    """

    def store_visit(views, spans=()):
        store(make_visit(started_at=now - 1000 * SECOND))
        for tab, number, ago in views:
            store(
                PageView(
                    site_id=7,
                    visit_id="visit",
                    tab=tab,
                    number=number,
                    viewed_at=now - ago * SECOND,
                    path=f"/{tab}{number}",
                    page_context="Cart",
                )
            )
        for number, (tab, from_ago, until_ago, is_open) in enumerate(spans, 1):
            store(
                VisitSpan(
                    site_id=7,
                    visit_id="visit",
                    tab=tab,
                    kind="in_view",
                    number=number,
                    from_at=now - from_ago * SECOND,
                    until_at=now - until_ago * SECOND,
                    is_open=is_open,
                )
            )

    return store_visit


def seconds(journey):
    return dict(zip(journey.page_views["path"], journey.page_views["seconds"], strict=True))


def test_visit_that_does_not_exist_has_no_journey(journey):
    assert journey(visit_id="nobody") is None


def test_visit_of_another_site_has_no_journey(journey, store, make_visit):
    store(make_visit(site_id=8))

    assert journey() is None


def test_journey_says_who_it_is_and_where_from(journey, store, make_visit):
    store(
        make_visit(
            country="DE",
            browser="Firefox",
            device="phone",
            source="Newsletter",
            campaign="spring",
            entry_path="/sale",
            attributes={"name": "Ada", "plan": "gold"},
        )
    )

    details = journey()

    assert details.listed[
        ["visitor_name", "country_name", "flag", "browser", "device"]
    ].tolist() == [
        "Ada",
        "Germany",
        "🇩🇪",
        "Firefox",
        "phone",
    ]
    visit = details.visit
    assert (visit.source, visit.campaign, visit.entry_path) == ("Newsletter", "spring", "/sale")
    assert visit.attributes["plan"] == "gold"


@pytest.mark.parametrize(
    ("quiet", "is_live"),
    [(30 * MINUTE - TICK, True), (30 * MINUTE, False), (-5 * MINUTE, True)],
)
def test_visit_is_here_until_it_has_ended(journey, store, make_visit, now, quiet, is_live):
    store(make_visit(started_at=now - 60 * MINUTE, last_activity_at=now - quiet))

    assert journey().is_live is is_live


def test_page_views_come_in_order_with_their_context(journey, store_visit, now):
    store_visit([("b", 1, 50), ("a", 2, 20), ("a", 1, 100)])

    views = journey().page_views

    assert views["path"].tolist() == ["/a1", "/b1", "/a2"]
    assert views["page_context"].tolist() == ["Cart"] * 3
    assert views["viewed_at"].tolist() == [now - ago * SECOND for ago in (100, 50, 20)]


@pytest.mark.parametrize(
    ("views", "spans", "expected"),
    [
        pytest.param(
            [("a", 1, 100)], [("a", 100, 40, False)], {"/a1": 60}, id="one page that was left"
        ),
        pytest.param(
            [("a", 1, 100)], [("a", 100, 10, True)], {"/a1": 100}, id="in view: grows with now"
        ),
        pytest.param(
            [("a", 1, 500)], [("a", 500, 90, True)], {"/a1": 410}, id="silent: its last sign"
        ),
        pytest.param(
            [("a", 1, 500)], [("a", 500, 89, True)], {"/a1": 500}, id="not silent for long enough"
        ),
        pytest.param(
            [("a", 1, 100), ("a", 2, 70), ("a", 3, 20)],
            [("a", 100, 5, True)],
            {"/a1": 30, "/a2": 50, "/a3": 20},
            id="a tab's views share its span",
        ),
        pytest.param(
            [("a", 1, 100), ("a", 3, 50)],
            [("a", 100, 80, False), ("a", 60, 40, False), ("a", 30, 20, False)],
            {"/a1": 30, "/a3": 20},
            id="only what was in view",
        ),
        pytest.param(
            [("a", 1, 100), ("b", 1, 70)],
            [("a", 100, 70, False), ("b", 70, 10, True)],
            {"/a1": 30, "/b1": 70},
            id="each page load is a tab",
        ),
        pytest.param(
            [("a", 1, 100), ("b", 1, 70)],
            [("a", 100, 10, True), ("b", 70, 10, True)],
            {"/a1": 100, "/b1": 70},
            id="two windows side by side",
        ),
        pytest.param([("a", 1, 100)], [], {"/a1": 0}, id="no span"),
        pytest.param(
            [("a", 1, 100), ("a", 2, 100)],
            [("a", 100, 50, False)],
            {"/a1": 0, "/a2": 50},
            id="two views at one moment",
        ),
        pytest.param(
            [("a", 1, 100)], [("a", 100, 50, False), ("b", 100, 0, True)], {"/a1": 50}, id="own tab"
        ),
    ],
)
def test_seconds_on_a_page_are_those_in_view_until_its_tabs_next(
    journey, store_visit, views, spans, expected
):
    store_visit(views, spans)

    assert seconds(journey()) == expected


def test_last_page_grows_with_now_while_it_is_in_view(journey, store_visit, now):
    store_visit([("a", 1, 100), ("a", 2, 20)], [("a", 100, 5, True)])

    assert [seconds(journey(now + later * SECOND)) for later in (0, 10, 84, 85)] == [
        {"/a1": 80, "/a2": 20},
        {"/a1": 80, "/a2": 30},
        {"/a1": 80, "/a2": 104},
        {"/a1": 80, "/a2": 15},
    ]
    assert journey().page_views["in_view"].tolist() == [False, True]
    assert journey(now + 85 * SECOND).page_views["in_view"].tolist() == [False, False]


def test_seconds_round_down_and_have_a_label(journey, store_visit):
    store_visit([("a", 1, 100)], [("a", 100, 34.001, False)])

    views = journey().page_views

    assert (views["seconds"].item(), views["seconds_label"].item()) == (65, "1m 05s")


def test_visit_without_a_stored_page_view_has_an_empty_table(journey, store_visit):
    store_visit([])

    views = journey().page_views

    assert views.empty
    assert views.columns.tolist() == [
        "viewed_at",
        "path",
        "title",
        "page_context",
        "seconds",
        "seconds_label",
        "in_view",
    ]


def test_journey_leads_to_the_visits_before_and_after(journey, store, make_visit, now):
    store(
        make_visit("first"),
        make_visit("visit", follows="first"),
        make_visit("third", follows="visit"),
    )

    details = journey()

    assert details.follows.id == "first"
    assert [visit.id for visit in details.followed_by] == ["third"]
