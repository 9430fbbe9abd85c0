"""The lengths of time that rules name are the reference's, and sit together."""

from datetime import timedelta

import pytest

from core.visits import presence


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("VISIT_ENDS_AFTER", timedelta(minutes=30)),
        ("IN_VIEW_FOR", timedelta(seconds=90)),
        ("LONGEST_PRESENCE", timedelta(seconds=60)),
        ("CHATTING_FOR", timedelta(minutes=20)),
        ("IDLE_AFTER", timedelta(minutes=10)),
        ("ACTIVE_FOR", timedelta(minutes=1)),
        ("COUNT_SLOT", timedelta(minutes=15)),
    ],
)
def test_length_is_the_one_of_the_rules(name, length):
    assert getattr(presence, name) == length
