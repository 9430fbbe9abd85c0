"""What is done in a chat, as plain messages to the writer, and their results.

A message says all that its action needs: it is performed by the writer (perform.py), later and
elsewhere, under the lock of its site. Moments are whole milliseconds since the epoch.
"""

from __future__ import annotations

from msgspec import Struct

from collector.chat.request import ChatAction
from core.chat.states import ClosedBy
from core.reasons import Refused


class OpenConversation(Struct, frozen=True, tag=True):
    """A visitor begins a conversation. visit_ids: the ids under which the visit may go on."""

    site_id: int
    visit_ids: tuple[str, ...]
    tab: str
    client_id: str
    text: str
    is_offered: bool
    is_attended: bool
    at: int
    email: str = ""


class ChangeConversation(Struct, frozen=True, tag=True):
    """A visitor acts in the conversation of their token."""

    site_id: int
    action: ChatAction
    token: str
    client_id: str
    text: str
    read_to: int
    at: int
    closed_by: ClosedBy = ClosedBy.VISITOR
    email: str = ""
    rating: str = ""


class InviteByRule(Struct, frozen=True, tag=True):
    """The first of these rules that may invites the visit; the beacon of this tab has its answer."""

    site_id: int
    site_key: str
    rule_ids: tuple[str, ...]
    visit_id: str
    tab: str
    at: int


class InviteOnExit(Struct, frozen=True, tag=True):
    """A visitor is about to leave: the exit rule's invitation, if it may be given now."""

    site_id: int
    site_key: str
    rule_id: str
    visit_ids: tuple[str, ...]
    tab: str
    at: int


class DeliverInvitation(Struct, frozen=True, tag=True):
    """A beacon's response carries the invitation to this tab; "": to any."""

    site_id: int
    conversation_id: str
    tab: str
    at: int


class ChatResult(Struct, omit_defaults=True):
    """The response to a request: state and revision; a new conversation's token; a message's number."""

    id: int
    state: str = ""
    c: str = ""
    number: int = 0


class Invited(Struct):
    """The visit has an invitation: what its browser needs to show it."""

    token: str
    agent_id: int
    text: str


class Delivered(Struct):
    """tab: the only one that may have the invitation; "": any."""

    tab: str


ACTIONS = OpenConversation | ChangeConversation | InviteByRule | InviteOnExit | DeliverInvitation
RESULTS = (ChatResult, Invited, Delivered, Refused)
"""What travels to the writer, and back."""
