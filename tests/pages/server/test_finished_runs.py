"""What a browser is told of the end of a fragment's run when another one follows before it was sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.server.finished_runs import keep_finished_runs

FINISHED = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
STOPPED = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardMsgQueue]:
    """The list has been drawn, then the notice; nothing is sent yet."""
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)
    keep_finished_runs()
    queue = ForwardMsgQueue()
    for fragment in ("list", "notice"):
        began, drew, ended = ForwardMsg(), ForwardMsg(), ForwardMsg()
        began.new_session.name = fragment
        drew.delta.fragment_id = fragment
        drew.delta.new_element.empty.SetInParent()
        drew.metadata.delta_path[:] = [0, len(fragment)]
        ended.script_finished = FINISHED
        for message in (began, drew, ended):
            queue.enqueue(message)
    yield queue


@pytest.mark.parametrize(
    ("follows", "ends"),
    [
        (["box"], [FINISHED, FINISHED]),
        (["notice"], [FINISHED, STOPPED]),
        (["list"], [STOPPED, FINISHED]),
        (["list", "notice"], [STOPPED, STOPPED]),
        (None, [STOPPED, STOPPED]),
    ],
)
def test_only_a_run_whose_drawing_is_not_sent_is_told_as_stopped(
    queue: ForwardMsgQueue, follows: list[str] | None, ends: list[int]
) -> None:
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=follows)
    sent = queue.flush()
    assert [
        message.script_finished
        for message in sent
        if message.WhichOneof("type") == "script_finished"
    ] == ends


def test_what_was_told_as_stopped_stays_so(queue: ForwardMsgQueue) -> None:
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["list"])
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["box"])
    assert [message.script_finished for message in queue.flush() if message.script_finished] == [
        STOPPED,
        FINISHED,
    ]
