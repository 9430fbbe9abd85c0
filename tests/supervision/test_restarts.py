"""How long a part waits before it starts again."""

import pytest

from supervision.restarts import FIRST_PAUSE, LONGEST_PAUSE, RUNS_WELL_AFTER, Restarts


def test_pauses_grow_up_to_the_longest():
    restarts = Restarts()
    assert [restarts.pause_after(5) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, LONGEST_PAUSE]


@pytest.mark.parametrize(
    ("ran", "pause"),
    [(RUNS_WELL_AFTER - 1, 4), (RUNS_WELL_AFTER, FIRST_PAUSE), (86_400, FIRST_PAUSE)],
)
def test_one_that_has_run_well_begins_with_the_first_pause_again(ran, pause):
    restarts = Restarts()
    restarts.pause_after(5)
    restarts.pause_after(5)
    assert restarts.pause_after(ran) == pause
