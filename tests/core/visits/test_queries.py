"""Each question to the database, on SQLite and Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from core.database import reading
from core.tables import (
    CollectorWarning,
    DropCount,
    PageView,
    SiteOrigin,
    VisitCount,
    VisitSpan,
)
from core.visits.arrivals import (
    NO_SITE,
    Drops,
    SeenPage,
    collector_warnings,
    count_page_views,
    drops,
    last_page_view,
    origins,
)
from core.visits.calendar import Period, day_period, local_day
from core.visits.live_visits import live_visits
from core.visits.memories import forget_memories
from core.visits.presence import SpanKind
from core.visits.visit_counts import visits_started
from core.visits.visit_details import find_visit, page_views, predecessor, spans, successors

TICK = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def db(database):
    """A function that asks one question in a snapshot of its own."""

    def ask(question, *arguments):
        with reading(database) as connection:
            return question(connection, *arguments)

    return ask


# Live visits


@pytest.mark.parametrize(
    ("after_now", "is_live"),
    [
        (-30 * MINUTE - TICK, False),
        (-30 * MINUTE, False),
        (-30 * MINUTE + TICK, True),
        (0 * MINUTE, True),
        (5 * MINUTE, True),
        (5 * MINUTE + TICK, False),
    ],
)
def test_visit_is_live_for_thirty_minutes_after_its_last_activity(
    db, store, make_visit, now, after_now, is_live
):
    store(make_visit(started_at=now - 2 * HOUR, last_activity_at=now + after_now))

    assert bool(db(live_visits, [7], now)) is is_live


@pytest.mark.parametrize(("ahead", "is_live"), [(5 * MINUTE, True), (5 * MINUTE + TICK, False)])
def test_visit_that_a_clock_opened_in_the_future_is_not_live(
    db, store, make_visit, now, ahead, is_live
):
    store(make_visit(started_at=now + ahead, last_activity_at=now))

    assert bool(db(live_visits, [7], now)) is is_live


def test_live_visits_are_those_of_the_site(db, store, make_visit, now):
    store(make_visit("mine"), make_visit("other", site_id=8))

    assert [row.id for row in db(live_visits, [7], now)] == ["mine"]


def test_live_visits_come_as_they_are_stored(db, store, make_visit, now):
    store(make_visit(attributes={"name": "Zoë"}, current_path="/ä", started_at=now))

    (row,) = db(live_visits, [7], now)

    assert row.started_at == 1795350896789
    assert (row.path, row.attributes) == ("/ä", '{"name":"Zoë"}')


def test_live_visits_are_found_by_index(plan_of, now):
    plan = plan_of(live_visits, [7], now)

    assert "visit_by_activity (site_id=? AND last_activity_at>? AND last_activity_at<?)" in plan


def test_successors_are_found_by_index(plan_of, make_visit):
    assert "visit_by_follows (site_id=? AND follows=?)" in plan_of(successors, make_visit())


@pytest.mark.parametrize("question", [predecessor, successors])
def test_visits_of_a_visitor_are_found_by_index(plan_of, make_visit, question):
    plan = plan_of(question, make_visit(visitor_id="ada"))

    assert "visit_by_visitor (site_id=? AND visitor_id=? AND started_at" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_rows_of_visits_that_were_active_are_found_by_key(plan_of, now):
    for plan in (
        plan_of(count_page_views, 7, now - HOUR, now),
        plan_of(last_page_view, 7, now),
    ):
        assert "visit_by_activity (site_id=? AND last_activity_at" in plan
        assert "page_view_row USING PRIMARY KEY (site_id=? AND visit=?)" in plan
        assert "SCAN page" not in plan


def test_visits_of_which_nothing_is_remembered_any_more_are_found_by_index(plan_of, now):
    plan = plan_of(forget_memories, 7, now, 10)

    assert "visit_by_start (site_id=? AND started_at>?)" in plan


def test_counts_are_found_by_key(plan_of, now):
    plan = plan_of(visits_started, 7, [Period(now, now + HOUR)])

    assert "PRIMARY KEY (site_id=? AND starts_at>? AND starts_at<?)" in plan


@pytest.mark.parametrize(
    ("question", "more"), [(find_visit, ()), (page_views, ()), (spans, (SpanKind.IN_VIEW,))]
)
def test_what_belongs_to_a_visit_is_found_by_key(plan_of, question, more):
    plan = plan_of(question, 7, "visit", *more)

    assert "(site_id=? AND " in plan
    assert "SCAN" not in plan


# Counts


def count(starts_at, visits, site_id=7):
    return VisitCount(site_id=site_id, starts_at=starts_at, visits=visits)


def test_visits_are_summed_from_the_first_slot_of_a_period_up_to_its_end(db, store):
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    store(
        count(midnight - 15 * MINUTE, 1),
        count(midnight, 10),
        count(midnight + 24 * HOUR - 15 * MINUTE, 100),
        count(midnight + 24 * HOUR, 1000),
        count(midnight, 9, site_id=8),
    )
    day = Period(midnight, midnight + 24 * HOUR)
    empty = Period(midnight + 48 * HOUR, midnight + 72 * HOUR)

    assert db(visits_started, 7, [day, empty]) == [110, 0]


@pytest.mark.parametrize(
    ("time_zone", "day", "inside", "outside"),
    [
        ("Asia/Kathmandu", "2026-11-22", "2026-11-21 18:15", "2026-11-21 18:00"),
        ("Pacific/Chatham", "2026-11-22", "2026-11-21 10:15", "2026-11-21 10:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23 22:00", "2026-04-23 21:45"),
        ("America/Havana", "2026-03-08", "2026-03-09 03:45", "2026-03-09 04:00"),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03 13:30", "2026-10-03 13:15"),
    ],
)
def test_slots_fit_the_local_days_of_odd_offsets(db, store, time_zone, day, inside, outside):
    store(
        count(datetime.fromisoformat(inside).replace(tzinfo=UTC), 1),
        count(datetime.fromisoformat(outside).replace(tzinfo=UTC), 1),
    )
    noon = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=UTC)
    period = day_period(local_day("UTC", noon), time_zone)

    assert db(visits_started, 7, [period]) == [1]


# One visit


def test_visit_is_found_with_its_moments_and_attributes(db, store, make_visit, now):
    store(make_visit(attributes={"plan": "gold"}, campaign="spring"))

    visit = db(find_visit, 7, "visit")

    assert visit.last_activity_at == now - 30 * SECOND
    assert (visit.attributes, visit.campaign, visit.chat_message_at) == (
        {"plan": "gold"},
        "spring",
        None,
    )


@pytest.mark.parametrize(("site_id", "visit_id"), [(8, "visit"), (7, "another"), (7, "")])
def test_visit_of_another_site_or_id_is_not_found(db, store, make_visit, site_id, visit_id):
    store(make_visit())

    assert db(find_visit, site_id, visit_id) is None


def a_view(tab, number, viewed_at, path="/", visit_id="visit"):
    return PageView(
        site_id=7, visit_id=visit_id, tab=tab, number=number, viewed_at=viewed_at, path=path
    )


def test_page_views_come_in_the_order_in_which_they_were_shown(db, store, make_visit, now):
    store(
        make_visit(),
        make_visit("other"),
        a_view("b", 1, now + SECOND, "/second"),
        a_view("a", 2, now + 2 * SECOND, "/fourth"),
        a_view("b", 2, now + SECOND, "/third"),
        a_view("a", 1, now, "/first"),
        a_view("a", 1, now, "/not mine", visit_id="other"),
    )

    assert [view.path for view in db(page_views, 7, "visit")] == [
        "/first",
        "/second",
        "/third",
        "/fourth",
    ]


def test_spans_are_of_one_kind_in_the_order_of_their_start(db, store, make_visit, now):
    def a_span(kind, number, from_at):
        return VisitSpan(
            site_id=7,
            visit_id="visit",
            tab=1,
            kind=kind,
            number=number,
            from_at=from_at,
            until_at=from_at + SECOND,
        )

    store(
        make_visit(),
        a_span("in_view", 5, now + MINUTE),
        a_span("in_view", 1, now),
        a_span("active", 1, now),
    )

    found = db(spans, 7, "visit", SpanKind.IN_VIEW)

    assert [(span.number, span.from_at) for span in found] == [(1, now), (5, now + MINUTE)]


def test_visits_that_follow_each_other_are_found_both_ways(db, store, make_visit, now):
    first = make_visit("first", started_at=now - 2 * HOUR)
    second = make_visit("second", follows="first", started_at=now - HOUR)
    other_site = make_visit("other", follows="first", site_id=8)
    store(first, second, other_site)

    assert [visit.id for visit in db(successors, first)] == ["second"]
    assert db(successors, second) == []
    assert db(predecessor, second).id == "first"
    assert db(predecessor, first) is None


def test_visits_of_a_remembered_visitor_lead_to_each_other(db, store, make_visit, now):
    def a_visit(visit_id, hours_ago, visitor_id="ada", site_id=7):
        began = now - hours_ago * HOUR
        return make_visit(visit_id, started_at=began, visitor_id=visitor_id, site_id=site_id)

    first, second, third = a_visit("1", 72), a_visit("2", 48), a_visit("3", 1)
    anonymous = a_visit("anonymous", 47, "")
    others = (a_visit("ben", 50, "ben"), a_visit("4", 49, site_id=8), a_visit("nobody", 46, ""))
    store(third, first, second, anonymous, *others)

    assert db(predecessor, first) is None
    assert [visit.id for visit in db(successors, first)] == ["2"]
    assert db(predecessor, third).id == "2"
    assert db(successors, third) == []
    assert (db(predecessor, anonymous), db(successors, anonymous)) == (None, [])


def test_predecessor_that_is_deleted_is_none(db, store, make_visit):
    second = make_visit("second", follows="gone")
    store(second)

    assert db(predecessor, second) is None


# Arrivals


def test_origins_come_with_the_newest_arrival_first(db, store, now):
    def an_origin(host, ago, site_id=7):
        return SiteOrigin(
            site_id=site_id, host=host, first_seen_at=now, last_seen_at=now - ago, hits=1
        )

    store(
        an_origin("old.example", HOUR),
        an_origin("new.example", SECOND),
        an_origin("other.example", SECOND, site_id=8),
    )

    assert [origin.host for origin in db(origins, 7)] == ["new.example", "old.example"]


def test_drops_of_the_last_day_are_summed_by_reason_the_most_first(db, store):
    now = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)

    def a_drop(reason, ago, hits, site_id=7):
        slot = datetime(2026, 11, 22, 12, tzinfo=UTC) - ago
        return DropCount(site_id=site_id, starts_at=slot, reason=reason, hits=hits)

    store(
        a_drop("bot", 0 * HOUR, 2),
        a_drop("bot", 24 * HOUR, 3),
        a_drop("bot", 24 * HOUR + 15 * MINUTE, 1000),
        a_drop("prefetch", HOUR, 7),
        a_drop("unknown_site", HOUR, 4, site_id=NO_SITE),
    )

    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert list(db(drops, 7, now).items()) == [
        ("prefetch", Drops(7, noon - HOUR)),
        ("bot", Drops(5, noon)),
    ]
    assert db(drops, NO_SITE, now) == {"unknown_site": Drops(4, noon - HOUR)}


def a_seen_page(visit_id, number, viewed_at, site_id=7, path="/"):
    return PageView(
        site_id=site_id,
        visit_id=visit_id,
        tab=1,
        number=number,
        viewed_at=viewed_at,
        path=path,
    )


def test_page_views_are_counted_since_a_moment(db, store, make_visit, now):
    store(
        make_visit("reads", last_activity_at=now),
        make_visit("gone", last_activity_at=now - 2 * MINUTE),
        make_visit("other", last_activity_at=now, site_id=8),
        *(a_seen_page("reads", number, now - number * MINUTE) for number in range(4)),
        a_seen_page("gone", 1, now - 2 * MINUTE),
        a_seen_page("other", 1, now, site_id=8),
    )

    assert db(count_page_views, 7, now - 2 * MINUTE, now) == 4
    assert db(count_page_views, 7, now - 2 * MINUTE + TICK, now) == 2


def test_newest_page_view_may_be_of_a_visit_that_is_less_active(db, store, make_visit, now):
    store(
        make_visit("reads", last_activity_at=now),
        make_visit("walks", last_activity_at=now - MINUTE),
        make_visit("gone", last_activity_at=now - HOUR),
        a_seen_page("reads", 1, now - 20 * MINUTE, path="/read"),
        a_seen_page("walks", 1, now - 2 * MINUTE, path="/first"),
        a_seen_page("walks", 2, now - MINUTE, path="/newest"),
        a_seen_page("gone", 1, now - HOUR, path="/gone"),
    )

    assert db(last_page_view, 7, now) == SeenPage("/newest", now - MINUTE)
    assert db(last_page_view, 8, now) is None


@pytest.mark.parametrize(
    ("ahead", "views", "path"), [(5 * MINUTE, 2, "/ahead"), (5 * MINUTE + TICK, 1, "/now")]
)
def test_page_view_that_a_clock_wrote_into_the_future_is_none(
    db, store, make_visit, now, ahead, views, path
):
    store(
        make_visit("healed", last_activity_at=now),
        a_seen_page("healed", 1, now + ahead, path="/ahead"),
        make_visit("now", last_activity_at=now),
        a_seen_page("now", 1, now, path="/now"),
    )

    assert db(count_page_views, 7, now - MINUTE, now) == views
    assert db(last_page_view, 7, now) == SeenPage(path, max(now, now + (views - 1) * ahead))


def test_visits_that_a_clock_wrote_into_the_future_hide_no_page_view(db, store, make_visit, now):
    ahead = now + HOUR
    store(
        *(make_visit(f"ahead{number}", last_activity_at=ahead) for number in range(60)),
        *(a_seen_page(f"ahead{number}", 1, ahead) for number in range(60)),
        make_visit("now", last_activity_at=now),
        a_seen_page("now", 1, now, path="/now"),
    )

    assert db(count_page_views, 7, now - MINUTE, now) == 1
    assert db(last_page_view, 7, now) == SeenPage("/now", now)


def test_newest_page_view_is_looked_for_among_few_visits(database, store, make_visit, now):
    store(
        make_visit("reads", last_activity_at=now, started_at=now - 9 * HOUR),
        a_seen_page("reads", 1, now - 9 * HOUR),
        make_visit("newest", last_activity_at=now - MINUTE),
        a_seen_page("newest", 1, now - MINUTE, path="/newest"),
        *(make_visit(f"old{number}", last_activity_at=now - HOUR) for number in range(3)),
        *(a_seen_page(f"old{number}", 1, now - HOUR) for number in range(3)),
    )
    asked: list[Any] = []
    event.listen(database, "before_execute", lambda _, statement, *rest: asked.append(statement))

    with reading(database) as connection:
        last_page_view(connection, 7, now)

    assert now - MINUTE in asked[-1].compile().params.values()


def test_collector_warnings_come_with_the_newest_first(db, store, now):
    store(
        CollectorWarning(name="old", first_seen_at=now, last_seen_at=now - HOUR),
        CollectorWarning(name="new", first_seen_at=now, last_seen_at=now),
    )

    assert [warning.name for warning in db(collector_warnings)] == ["new", "old"]


# The snapshot


def test_two_questions_of_one_snapshot_see_the_same_state(database, store, make_visit, now):
    store(make_visit("before"))
    with reading(database) as connection:
        first = [row.id for row in live_visits(connection, [7], now)]
        store(make_visit("meanwhile"))
        second = [row.id for row in live_visits(connection, [7], now)]

    assert first == second == ["before"]
