"""Counting many keys in a memory that does not grow."""

from __future__ import annotations

import sys

import pytest

from pages.sign_in.leaky_buckets import LeakyBuckets


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, 3), (9, 2.1), (10, 2), (29, 0.1), (30, 0), (1_000, 0)]
)
def test_level_falls_by_one_in_the_given_time(seconds: float, level: float) -> None:
    buckets = LeakyBuckets(drains_every=10, most=100)
    for _ in range(3):
        buckets.add("a", 500)
    assert buckets.level("a", 500 + seconds) == pytest.approx(level)


def test_nobody_lowers_the_level_of_another() -> None:
    buckets = LeakyBuckets(drains_every=10, most=100, width=64)
    for _ in range(5):
        buckets.add("victim", 0)
    for number in range(10_000):
        buckets.add(f"attacker {number}", 0)
    assert buckets.level("victim", 0) >= 5


def test_memory_does_not_grow_with_the_keys() -> None:
    buckets = LeakyBuckets(drains_every=10, most=100)
    before = sum(sys.getsizeof(each) for each in vars(buckets).values())
    for number in range(20_000):
        buckets.add(f"key {number}", 0)
    assert sum(sys.getsizeof(each) for each in vars(buckets).values()) == before


def test_hardly_any_key_is_taken_for_another() -> None:
    buckets = LeakyBuckets(drains_every=10, most=100)
    for number in range(10_000):
        buckets.add(f"attacker {number}", 0)
    taken = sum(buckets.level(f"innocent {number}", 0) > 0 for number in range(10_000))
    assert taken < 50


def test_level_stays_below_the_most() -> None:
    buckets = LeakyBuckets(drains_every=10, most=4)
    for _ in range(1_000):
        buckets.add("a", 0)
    assert buckets.level("a", 0) == 4
    buckets.take("a", 10, 0)
    assert buckets.level("a", 0) == 0
