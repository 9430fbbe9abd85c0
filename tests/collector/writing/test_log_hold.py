"""Since when a reader holds the log, told from what checkpoints get done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.writing.log_hold import LogHold
from tests.helpers.chat_rows import NOW


def after(*checkpoints: tuple[int, int]) -> int | None:
    """At which of the checkpoints (frames, moved), one a second, the hold began."""
    hold = LogHold()
    for second, (frames, moved) in enumerate(checkpoints):
        hold.note(frames, moved, NOW + timedelta(seconds=second))
    return None if hold.since is None else (hold.since - NOW) // timedelta(seconds=1)


@pytest.mark.parametrize(
    ("checkpoints", "since"),
    [
        ([(9, 9)], None),
        ([(9, 9), (12, 9)], 1),
        ([(9, 9), (12, 9), (15, 9), (20, 9)], 1),
        ([(9, 9), (12, 9), (12, 12)], None),
        ([(12, 9), (15, 11), (18, 14)], 2),  # short readers, one after another
        ([(12, 9), (5, 5), (7, 5)], 2),  # the log has begun anew
    ],
)
def test_reader_holds_the_log_since_a_checkpoint_got_no_further(checkpoints, since):
    assert after(*checkpoints) == since
