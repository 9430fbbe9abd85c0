"""Whether a visit can be invited, and the state of its conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.chat.queries import conversations_of_visit
from core.chat.states import INVITED_STATES, ConversationState, TemplateKind
from core.chat.templates import list_templates
from core.chat.visit_chat import find_visit_state
from core.database import Connection
from core.tables import ChatTemplate, Conversation, Site, Visit
from core.visits.labels import visitor_label, visitor_name
from core.visits.liveness import is_chatting, is_live
from core.visits.visit_details import find_visit


@dataclass(frozen=True)
class InvitationState:
    """A visit at one moment: its conversations, newest first, and the site's invitation templates,
    the last used first. is_chatting: in our chat or in another product's."""

    visit: Visit
    is_live: bool
    is_chatting: bool
    conversations: Sequence[Conversation]
    templates: Sequence[ChatTemplate]

    @property
    def newest(self) -> Conversation | None:
        """The conversation that began last, in any state."""
        return self.conversations[0] if self.conversations else None

    @property
    def invitation(self) -> Conversation | None:
        """The invitation that waits for an answer."""
        return next((each for each in self.conversations if each.state in INVITED_STATES), None)

    @property
    def chat(self) -> Conversation | None:
        """The open conversation."""
        return next((c for c in self.conversations if c.state == ConversationState.OPEN), None)

    @property
    def name(self) -> str:
        """Who the visitor is."""
        visit = self.visit
        return visitor_label(visitor_name(visit.attributes), visit.browser, visit.country)

    @property
    def sign(self) -> tuple[str, str, bool, bool]:
        """A value that changes when another part of the page fits the visit. It stays the same while
        an invitation waits for its answer: the part that is drawn then follows its states."""
        newest = self.newest
        if newest is None:
            return "", "", self.is_live, self.is_chatting
        state = "invited" if newest.state in INVITED_STATES else str(newest.state)
        return newest.id, state, self.is_live, self.is_chatting


def read_invitation_state(
    db: Connection, site: Site, visit_id: str, now: datetime
) -> InvitationState | None:
    """The visit at `now`; None when the site has no visit of this id."""
    assert site.id is not None
    visit = find_visit(db, site.id, visit_id)
    state = visit and find_visit_state(db, site.id, visit_id)
    if visit is None or state is None:
        return None
    return InvitationState(
        visit=visit,
        is_live=is_live(state, now),
        is_chatting=is_chatting(state, now),
        conversations=conversations_of_visit(db, site.id, visit_id),
        templates=list_templates(db, site.id, TemplateKind.INVITATION),
    )
