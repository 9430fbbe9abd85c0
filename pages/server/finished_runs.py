"""Fragments that follow each other closely: what the first has removed goes from the screen all the same.

A browser removes what a run no longer draws when it reads that the run has finished. Where Streamlit
begins with another fragment before that message has left, it turns it into "stopped for a rerun", so that
nobody removes what may only not have been drawn yet. Yet of another fragment everything is still sent:
the panel that a click has closed then stayed until its part of the page was drawn again.
"""

from __future__ import annotations

from functools import wraps

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

UnsentMessages = list[tuple[ForwardMsg, "ForwardMsg.ScriptFinishedStatus.ValueType"]]


def keep_finished_runs() -> None:
    """From now on a run stays finished unless something of what it drew is not sent."""
    ForwardMsgQueue.clear = _clear


_streamlits_clear = ForwardMsgQueue.clear


@wraps(_streamlits_clear)
def _clear(
    self: ForwardMsgQueue,
    retain_lifecycle_msgs: bool = False,
    fragment_ids_this_run: list[str] | None = None,
) -> None:
    waiting = [(message, message.script_finished) for message in self._queue]
    _streamlits_clear(self, retain_lifecycle_msgs, fragment_ids_this_run)
    if fragment_ids_this_run is not None:
        _restore(waiting, {id(message) for message in self._queue})


def _restore(waiting: UnsentMessages, kept: set[int]) -> None:
    is_whole = True
    for message, finished in waiting:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            is_whole = True
        is_whole = is_whole and id(message) in kept
        if kind == "script_finished" and is_whole:
            message.script_finished = finished
