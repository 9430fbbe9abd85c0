"""The words for lengths of time, which round down, and for visitors."""

from datetime import timedelta

import pytest

from core.enrich.source_table import SourceKind
from core.visits.labels import (
    activity_label,
    duration_label,
    returning_label,
    source_kind_label,
    visitor_label,
    visitor_name,
)

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


@pytest.mark.parametrize(
    ("name", "browser", "country", "label"),
    [
        ("Ada", "Chrome", "US", "Ada"),
        ("", "Chrome", "US", "Chrome, United States"),
        ("", "Chrome", "", "Chrome"),
        ("", "", "US", "United States"),
        ("", "Other", "US", "United States"),
        ("", "Chrome", "ZZ", "Chrome"),
        ("", "Other", "", "Unknown visitor"),
        ("", "", "", "Unknown visitor"),
    ],
)
def test_visitor_without_a_name_is_called_by_what_is_known(name, browser, country, label):
    assert visitor_label(name, browser, country) == label


@pytest.mark.parametrize(
    ("number", "label"),
    [
        (0, ""),
        (1, ""),
        (2, "2nd visit"),
        (3, "3rd visit"),
        (4, "4th visit"),
        (11, "11th visit"),
        (12, "12th visit"),
        (13, "13th visit"),
        (21, "21st visit"),
        (112, "112th visit"),
        (123, "123rd visit"),
    ],
)
def test_visit_has_its_ordinal_from_the_second_on(number, label):
    assert returning_label(number) == label


def test_kind_of_source_is_a_word_to_read_and_direct_has_none():
    assert [source_kind_label(kind) for kind in (*SourceKind, "")] == [
        "", "own site", "search", "social", "AI", "e-mail", "paid", "referral", "",
    ]  # fmt: skip
