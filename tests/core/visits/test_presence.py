"""The lengths of time that rules name are the reference's, and sit together."""

from datetime import UTC, datetime, timedelta

import pytest

from core.visits import presence
from core.visits.presence import chatting_since, live_since

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("VISIT_ENDS_AFTER", timedelta(minutes=30)),
        ("IN_VIEW_FOR", timedelta(seconds=90)),
        ("CHATTING_FOR", timedelta(minutes=20)),
        ("IDLE_AFTER", timedelta(minutes=10)),
        ("ACTIVE_FOR", timedelta(minutes=1)),
        ("COUNT_SLOT", timedelta(minutes=15)),
    ],
)
def test_length_is_the_one_of_the_rules(name, length):
    assert getattr(presence, name) == length


def test_visit_is_live_after_the_moment_thirty_minutes_ago():
    assert live_since(NOW) == datetime(2026, 11, 22, 11, 30, tzinfo=UTC)


def test_chat_goes_on_after_the_moment_twenty_minutes_ago():
    assert chatting_since(NOW) == datetime(2026, 11, 22, 11, 40, tzinfo=UTC)
