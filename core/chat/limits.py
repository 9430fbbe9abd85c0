"""How long things last in the chat, and how large they may be."""

from datetime import timedelta

from core.visits.presence import CHATTING_FOR, VISIT_ENDS_AFTER

CHAT_ENDS_AFTER = CHATTING_FOR
"""Without a message; at exactly 20:00 the conversation is over (reference)."""

INVITATION_EXPIRES_AFTER = timedelta(minutes=5)
"""After it was sent, or once shown after that: an answer later than this surprises both (own)."""

TYPING_FOR = timedelta(seconds=6)
"""How long somebody counts as typing after the last report."""

TYPING_EVERY = TYPING_FOR / 2
"""How often typing is reported: often enough that it holds though one report is late."""

READABLE_FOR = VISIT_ENDS_AFTER
"""After its end a visitor's browser can still read a conversation for this long (own)."""

LONGEST_MESSAGE = 2_000
"""Characters; what is longer is cut."""

MAX_MESSAGES = 2_000
"""Messages of one conversation; nobody who means to talk needs more."""
