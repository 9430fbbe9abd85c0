"""Lengths of time and sizes in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.health.words import size_in_words, time_in_words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(seconds=119), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=4_000), "4,000 days"),
    ],
)
def test_time_is_rounded_down_in_its_largest_unit(length: timedelta, words: str):
    assert time_in_words(length) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (12_345_678, "12 MB"),
        (4_200_000_000, "4.2 GB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_size_is_in_its_largest_unit(size: int, words: str):
    assert size_in_words(size) == words
