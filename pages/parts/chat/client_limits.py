"""The limits that the agent's browser and the server share: handed to the component."""

from __future__ import annotations

from datetime import timedelta

from core.chat.limits import LONGEST_MESSAGE, TYPING_EVERY
from core.subscribers import SILENT_FOR

OVER_FOR = timedelta(minutes=10)
"""How long a conversation stays in the list of open ones after its end (own rule)."""

_MILLISECOND = timedelta(milliseconds=1)

CLIENT_LIMITS = {
    "longest_message": LONGEST_MESSAGE,
    "typing_every": TYPING_EVERY // _MILLISECOND,
    "silent_for": timedelta(seconds=SILENT_FOR) // _MILLISECOND,
    "over_for": OVER_FOR // _MILLISECOND,
}
"""Lengths of time in milliseconds; client/chat_types.d.ts has the same names."""
