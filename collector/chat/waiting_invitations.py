"""The invitations that wait for a beacon, cached in memory and kept current by the feed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from msgspec import Struct
from sqlalchemy import Connection

from collector.chat.listeners import Listeners
from core.chat.queries import Changes, invitations, messages_of, newest_place
from core.chat.retention import NO_VISIT
from core.chat.states import INVITED_STATES, ConversationState
from core.feed import FeedPlace
from core.tables import Conversation, Message
from core.visits.visit_id import VisitKey

WAITING_STATES = INVITED_STATES - {ConversationState.SHOWN}
"""From `shown` on, the browser has the token."""


class Invitation(Struct):
    """An invitation for a beacon's response. tab: the only one that may have it, else ""."""

    conversation_id: str
    token: str
    agent_id: int
    text: str
    tab: str
    is_queued: bool


class WaitingInvitations:
    """Invitations by (site id, visit id); who listens for one is woken by each change of the visit's conversations."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._invitations: dict[VisitKey, Invitation] = {}

    def find(self, site_id: int, visit_id: str) -> Invitation | None:
        """The invitation of this visit, or None."""
        return self._invitations.get((site_id, visit_id))

    def load(self, db: Connection) -> FeedPlace:
        """Load every invitation that waits; returns the place at which the feed goes on."""
        waiting = invitations(db)
        said = messages_of(db, waiting)
        self._take(waiting, chain.from_iterable(said.values()))
        return newest_place(db)

    def take(self, changes: Changes) -> None:
        """Add new invitations, and remove those that wait no more."""
        self._take(changes.conversations, changes.messages)

    def _take(self, conversations: Iterable[Conversation], said: Iterable[Message]) -> None:
        texts = {(m.site_id, m.conversation_id): m.text for m in said if m.number == 1}
        for each in conversations:
            key = self._key_of(each)
            known = self._invitations.get(key)
            if known is not None and known.conversation_id != each.id:
                known = None
            if each.state in WAITING_STATES:
                text = texts.get((each.site_id, each.id), known.text if known else "")
                self._invitations[key] = Invitation(
                    conversation_id=each.id,
                    token=each.token,
                    agent_id=each.agent_id,
                    text=text,
                    tab=each.tab or (known.tab if known else ""),
                    is_queued=each.state == ConversationState.QUEUED,
                )
            elif known is not None:
                del self._invitations[key]
            self._listeners.wake(key)

    def _key_of(self, conversation: Conversation) -> VisitKey:
        """The visit for which the conversation waits here; a withdrawn one names its visit no more."""
        if conversation.visit_id != NO_VISIT:
            return conversation.site_id, conversation.visit_id
        held = self._invitations.items()
        keys = (key for key, each in held if each.conversation_id == conversation.id)
        return next(keys, (conversation.site_id, NO_VISIT))
