"""How much goes at once, and how long the pause is after it."""

from __future__ import annotations

from time import sleep

import pytest

from collector.writing.bite_pace import (
    AIMS_AT,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    BitePace,
)
from collector.writing.write_load import WriteLoad
from collector.writing.write_queue import WriteQueue

MOST = 200


@pytest.fixture
def load() -> WriteLoad:
    return WriteLoad(WriteQueue())


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


def test_pause_grows_with_what_visitors_send(load):
    sleep(1)  # over which it is told how busy the writer is
    load.committed(0.5)
    half_busy = BitePace(load, MOST).pause(0.1)

    assert 0.2 < half_busy < 0.4
    assert BitePace(load, MOST).pause(60) == LONGEST_PAUSE
