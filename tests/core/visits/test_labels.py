"""The words for lengths of time round down."""

from datetime import timedelta

import pytest

from core.visits.labels import activity_label, duration_label, visitor_name

TICK = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("quiet", "label"),
    [
        (-5 * MINUTE, "Active"),
        (0 * MINUTE, "Active"),
        (MINUTE - TICK, "Active"),
        (MINUTE, "1m ago"),
        (2 * MINUTE - TICK, "1m ago"),
        (2 * MINUTE, "2m ago"),
        (10 * MINUTE - TICK, "9m ago"),
        (10 * MINUTE, "Idle 10m"),
        (11 * MINUTE - TICK, "Idle 10m"),
        (30 * MINUTE - TICK, "Idle 29m"),
        (90 * MINUTE, "Idle 90m"),
    ],
)
def test_activity_label_rounds_down_to_minutes(quiet, label):
    assert activity_label(quiet) == label


@pytest.mark.parametrize(
    ("length", "label"),
    [
        (-HOUR, "0s"),
        (-TICK, "0s"),
        (0 * HOUR, "0s"),
        (1000 * TICK - TICK, "0s"),
        (1000 * TICK, "1s"),
        (timedelta(seconds=42), "42s"),
        (MINUTE - TICK, "59s"),
        (MINUTE, "1m 00s"),
        (timedelta(minutes=3, seconds=5), "3m 05s"),
        (HOUR - TICK, "59m 59s"),
        (HOUR, "1h 00m"),
        (timedelta(hours=1, minutes=5, seconds=59), "1h 05m"),
        (24 * HOUR - TICK, "23h 59m"),
        (26 * HOUR, "26h 00m"),
        (1000 * HOUR, "1000h 00m"),
    ],
)
def test_duration_label_rounds_down_and_is_never_negative(length, label):
    assert duration_label(length) == label


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({}, ""),
        ({"plan": "gold"}, ""),
        ({"email": "ada@example.com"}, "ada@example.com"),
        ({"name": "Ada", "email": "ada@example.com"}, "Ada"),
        ({"name": "", "email": "ada@example.com"}, "ada@example.com"),
    ],
)
def test_visitor_is_called_by_name_else_by_e_mail(attributes, name):
    assert visitor_name(attributes) == name
