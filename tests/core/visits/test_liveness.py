"""Each rule gives the same result for a stored row, in SQL, in milliseconds and in a frame."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from sqlalchemy import select

from core.database import reading
from core.moment import from_milliseconds, to_milliseconds
from core.tables import Visit
from core.visits.labels import activity_label
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.liveness import (
    is_chatting,
    is_idle,
    is_idle_length,
    is_in_view,
    is_live,
    is_tab_in_view,
    tab_in_view_until,
    visit_ends_at,
    visit_goes_on,
)
from core.visits.visit_details import find_visit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def all_uses(database, store, make_visit, now):
    """all_uses(rule, ...): what the rule says of a stored visit with these columns, each way."""

    def all_uses(rule, **columns):
        store(make_visit(**columns))
        with reading(database) as db:
            row = find_visit(db, 7, "visit")
            listed = db.execute(select(*LIVE_COLUMNS)).one()
            by_sql = db.execute(select(rule(Visit, now))).scalar_one()
        frame = pd.DataFrame([listed._mapping])
        frame["chat_message_at"] = pd.to_numeric(frame["chat_message_at"])
        moment = to_milliseconds(now)
        return {
            "row": rule(row, now),
            "sql": by_sql,
            "milliseconds": rule(SimpleNamespace(**listed._mapping), moment),
            "frame": rule(frame, moment).iloc[0],
        }

    return all_uses


def everywhere(verdict):
    return dict.fromkeys(("row", "sql", "milliseconds", "frame"), verdict)


@pytest.mark.parametrize(
    ("after_now", "expected"),
    [
        (-30 * MINUTE - TICK, False),
        (-30 * MINUTE, False),
        (-30 * MINUTE + TICK, True),
        (5 * MINUTE, True),
        (5 * MINUTE + TICK, False),
    ],
)
def test_visit_is_live_less_than_thirty_minutes_after_its_last_activity(
    all_uses, now, after_now, expected
):
    columns = {"started_at": now - 2 * HOUR, "last_activity_at": now + after_now}

    assert all_uses(is_live, **columns) == everywhere(expected)


@pytest.mark.parametrize(("ahead", "expected"), [(5 * MINUTE, True), (5 * MINUTE + TICK, False)])
def test_visit_that_a_clock_opened_in_the_future_is_not_live(all_uses, now, ahead, expected):
    columns = {"started_at": now + ahead, "last_activity_at": now}

    assert all_uses(is_live, **columns) == everywhere(expected)


@pytest.mark.parametrize(("left", "expected"), [(-TICK, False), (0 * TICK, False), (TICK, True)])
def test_visit_is_in_view_until_its_moment(all_uses, now, left, expected):
    assert all_uses(is_in_view, in_view_until=now + left) == everywhere(expected)


@pytest.mark.parametrize("source", ["built_in", "third_party"])
@pytest.mark.parametrize(
    ("silent", "expected"),
    [(20 * MINUTE - TICK, True), (20 * MINUTE, False), (20 * MINUTE + TICK, False)],
)
def test_visit_is_chatting_less_than_twenty_minutes_after_the_last_message(
    all_uses, now, source, silent, expected
):
    columns = {"chat_source": source, "chat_message_at": now - silent}

    assert all_uses(is_chatting, **columns) == everywhere(expected)


def test_visit_without_a_chat_is_not_chatting(all_uses, now):
    columns = {"chat_source": "", "chat_message_at": now}

    assert all_uses(is_chatting, **columns) == everywhere(False)


@pytest.mark.parametrize("columns", [{}, {"chat_source": "third_party"}])
def test_visit_without_a_message_is_not_chatting(all_uses, columns):
    verdicts = all_uses(is_chatting, **columns)

    assert not any(verdicts.values())


def test_visit_is_over_at_the_moment_at_which_it_ends():
    last = NOON - 30 * MINUTE

    assert visit_ends_at(last) == NOON
    assert not visit_goes_on(last, NOON)
    assert visit_goes_on(last, NOON - TICK)
    assert from_milliseconds(visit_ends_at(to_milliseconds(last))) == NOON


def test_tab_is_in_view_for_ninety_seconds():
    newest = NOON - 90 * SECOND

    assert tab_in_view_until(newest) == NOON
    assert not is_tab_in_view(newest, NOON)
    assert is_tab_in_view(newest, NOON - TICK)
    assert from_milliseconds(tab_in_view_until(to_milliseconds(newest))) == NOON


@pytest.mark.parametrize(
    ("quiet", "expected"),
    [(10 * MINUTE - TICK, False), (10 * MINUTE, True), (10 * MINUTE + TICK, True)],
)
def test_visitor_is_idle_from_ten_quiet_minutes(all_uses, now, quiet, expected):
    columns = {"started_at": now - HOUR, "last_activity_at": now - quiet}

    assert all_uses(is_idle, **columns) == everywhere(expected)
    assert is_idle_length(quiet) is expected
    assert activity_label(quiet).startswith("Idle") is expected
