"""How much goes at once, and how long the pause is after it."""

from __future__ import annotations

import pytest

from collector.writing.bite_pace import (
    AIMS_AT,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    BitePace,
)
from collector.writing.write_load import WriteLoad

MOST = 200


@pytest.fixture
def seconds() -> list[float]:
    """The last is what the clock shows."""
    return [0.0]


@pytest.fixture
def load(seconds: list[float]) -> WriteLoad:
    return WriteLoad(lambda: 0, lambda: seconds[-1])


def test_bites_grow_while_they_are_short_and_shrink_when_they_take_long(load):
    pace = BitePace(load, MOST)
    assert pace.size == MOST / 4
    for _ in range(10):
        pace.pause(AIMS_AT / 100)
    assert pace.size == MOST
    pace.pause(2 * AIMS_AT)
    assert pace.size == MOST / 2
    pace.pause(1_000)
    assert pace.size == MOST / 4, "a commit alone may take that long"


def test_pause_is_as_long_as_the_bite_while_nobody_sends_anything(load):
    assert BitePace(load, MOST).pause(0.1) == 0.1
    assert BitePace(load, MOST).pause(0) == SHORTEST_PAUSE


def test_pause_grows_with_what_visitors_send(load, seconds):
    load.committed(0.5)
    seconds.append(1.0)

    assert BitePace(load, MOST).pause(0.1) == pytest.approx(0.1 + 5 * 0.1 * 0.5)
    assert BitePace(load, MOST).pause(60) == LONGEST_PAUSE
