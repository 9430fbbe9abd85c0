"""The limits that the agent's browser and the server share: handed to the component."""

from __future__ import annotations

from datetime import timedelta

from core.chat.limits import LONGEST_MESSAGE, TYPING_FOR
from core.chat.subscribers import HEARTBEAT_EVERY, POLL_WAITS

OVER_FOR = timedelta(minutes=10)
"""How long a conversation stays in the list of open ones after its end (own rule)."""

TYPING_EVERY = TYPING_FOR / 2
"""How often an agent's typing is sent: often enough to last when one of them is late."""

SILENT_FOR = timedelta(seconds=POLL_WAITS + HEARTBEAT_EVERY)
"""A connection that is silent for this long is dead: a stream has a heartbeat every HEARTBEAT_EVERY,
and a poll is answered within POLL_WAITS."""

_MILLISECOND = timedelta(milliseconds=1)

CLIENT_LIMITS = {
    "longest_message": LONGEST_MESSAGE,
    "typing_for": TYPING_FOR // _MILLISECOND,
    "typing_every": TYPING_EVERY // _MILLISECOND,
    "silent_for": SILENT_FOR // _MILLISECOND,
    "over_for": OVER_FOR // _MILLISECOND,
}
"""Lengths of time in milliseconds; client/chat_types.d.ts has the same names."""
