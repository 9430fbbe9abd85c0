"""The table of reasons is whole, and its texts agree with the limits that they name."""

from __future__ import annotations

import pytest

from collector.http.body import MAX_BYTES
from core.chat.limits import MAX_MESSAGES
from core.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_reason_has_a_text_for_everyone_who_meets_it(reason):
    has_body = bool(reason.owner_text) and reason.status != 204
    is_told_by_its_place = reason is Reason.MALFORMED
    assert bool(reason.public_text) == (has_body and not is_told_by_its_place)
    assert reason.owner_text or reason.agent_text


def test_texts_name_the_limits_that_hold():
    assert f"{MAX_MESSAGES:,} messages" in Reason.TOO_MANY.agent_text
    assert f"{MAX_BYTES} bytes" in Reason.TOO_LARGE.public_text
    assert f"{MAX_BYTES // 1024} KiB" in Reason.TOO_LARGE.owner_text
