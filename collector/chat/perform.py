"""What each chat action does in the database: in the writer, in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from collector.chat.actions import (
    ChangeConversation,
    ChatResult,
    Delivered,
    DeliverInvitation,
    InviteByRule,
    Invited,
    InviteOnExit,
    OpenConversation,
)
from collector.chat.request import ChatAction
from core.chat.closing import is_long_over
from core.chat.contact import set_email
from core.chat.conversations import end, mark_read, mark_typing, open_as_visitor
from core.chat.invitations import accept, dismiss, mark_delivered, mark_shown
from core.chat.messages import send_as_visitor
from core.chat.queries import messages
from core.chat.rating import Rating, rate
from core.chat.rules import list_rules, open_by_rule
from core.chat.states import Author, Trigger
from core.chat.store import find_by_token, find_conversation
from core.chat.visit_chat import find_visit_state
from core.moment import from_milliseconds
from core.reasons import Reason, Refused
from core.sites import find_site, has_site
from core.tables import Conversation, Site
from core.visits.liveness import is_live
from core.visits.visit_id import MAX_SUCCESSORS, is_derived, successor_id

_Change = Callable[[Connection, Conversation, datetime], Conversation | Refused]


def perform(db: Connection, action: Any) -> Struct:
    """The action's result, or why it was refused."""
    if not has_site(db, action.site_id):
        is_leaving = isinstance(action, InviteOnExit)  # its browser hears NOT_NOW, whatever it is
        return Refused(Reason.NOT_NOW if is_leaving else Reason.UNKNOWN_SITE)
    return _PERFORM[type(action)](db, action)


def _open(db: Connection, action: OpenConversation) -> ChatResult | Refused:
    """The token of the new conversation is given this once."""
    now = from_milliseconds(action.at)
    visit_id = _newest_visit(db, action.site_id, action.visit_ids, now)
    opened = open_as_visitor(
        db,
        site_id=action.site_id,
        visit_id=visit_id,
        tab=_only_tab(visit_id, action.tab),
        client_id=action.client_id,
        text=action.text,
        is_offered=action.is_offered,
        is_attended=action.is_attended,
        now=now,
    )
    if not isinstance(opened, Refused) and action.email:
        opened = set_email(db, opened, action.email, now)
    if isinstance(opened, Refused):
        return opened
    return ChatResult(opened.revision, opened.state, opened.token)


def _change(db: Connection, action: ChangeConversation) -> ChatResult | Refused:
    now = from_milliseconds(action.at)
    conversation = find_by_token(db, action.site_id, action.token)
    if conversation is None:
        return Refused(Reason.NO_CONVERSATION)
    if is_long_over(conversation, now):
        return Refused(Reason.OVER)
    if action.action is ChatAction.SEND:
        return _send(db, conversation, action, now)
    if action.action is ChatAction.READ:
        changed = mark_read(db, conversation, Author.VISITOR, action.read_to, now)
    elif action.action is ChatAction.END:
        changed = end(db, conversation, action.closed_by, now)
    elif action.action is ChatAction.EMAIL:
        changed = set_email(db, conversation, action.email, now)
    elif action.action is ChatAction.RATE:
        changed = rate(db, conversation, Rating(action.rating), action.text, now)
    else:
        changed = _CHANGES[action.action](db, conversation, now)
    if isinstance(changed, Refused):
        return changed
    return ChatResult(changed.revision, changed.state)


def _send(
    db: Connection, conversation: Conversation, action: ChangeConversation, now: datetime
) -> ChatResult | Refused:
    said = send_as_visitor(db, conversation, client_id=action.client_id, text=action.text, now=now)
    return said if isinstance(said, Refused) else ChatResult(said.revision, number=said.number)


def _type(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    return mark_typing(db, conversation, Author.VISITOR, now)


def _invite(db: Connection, action: InviteByRule) -> Invited | Refused:
    site = _locked_site(db, action)
    if site is None:
        return Refused(Reason.UNKNOWN_SITE)
    now = from_milliseconds(action.at)
    for rule_id in action.rule_ids:
        invited = _invite_at_once(db, rule_id, site, action.visit_id, action.tab, now)
        if isinstance(invited, Invited):
            return invited
    return Refused(Reason.NOT_NOW)


def _invite_on_exit(db: Connection, action: InviteOnExit) -> Invited | Refused:
    """The browser hears NOT_NOW, whatever keeps the rule from inviting."""
    now = from_milliseconds(action.at)
    site = _locked_site(db, action)
    if site is None:
        return Refused(Reason.NOT_NOW)
    visit_id = _newest_visit(db, action.site_id, action.visit_ids, now)
    if not _is_for_exit(db, action.site_id, action.rule_id, visit_id):
        return Refused(Reason.NOT_NOW)
    return _invite_at_once(db, action.rule_id, site, visit_id, action.tab, now)


def _locked_site(db: Connection, action: InviteByRule | InviteOnExit) -> Site | None:
    """The action's site, whose lock the transaction holds; None where another has got its short name since."""
    site = find_site(db, action.site_key)
    return site if site is not None and site.id == action.site_id else None


def _invite_at_once(
    db: Connection, rule_id: str, site: Site, visit_id: str, tab: str, now: datetime
) -> Invited | Refused:
    """The rule's invitation, delivered: the answer that waits for it carries it to this tab."""
    invited = open_by_rule(db, rule_id, site=site, visit_id=visit_id, now=now)
    if isinstance(invited, Refused):
        return Refused(Reason.NOT_NOW)
    mark_delivered(db, invited.site_id, invited.id, _only_tab(visit_id, tab), now)
    text = messages(db, invited.site_id, invited.id)[0].text
    return Invited(invited.token, invited.agent_id, text)


def _is_for_exit(db: Connection, site_id: int, rule_id: str, visit_id: str) -> bool:
    """Whether it is an exit rule, and the visit is in its context."""
    rule = next((rule for rule in list_rules(db, site_id) if rule.id == rule_id), None)
    if rule is None or rule.trigger != Trigger.EXIT:
        return False
    visit = find_visit_state(db, site_id, visit_id)
    return visit is not None and rule.page_context in ("", visit.page_context)


def _deliver(db: Connection, action: DeliverInvitation) -> Delivered:
    now = from_milliseconds(action.at)
    mark_delivered(db, action.site_id, action.conversation_id, action.tab, now)
    found = find_conversation(db, action.site_id, action.conversation_id)
    return Delivered(found.tab if found is not None else "")


def _only_tab(visit_id: str, tab: str) -> str:
    """The tab, where several people may share the visit; else "", which is any tab."""
    return tab if is_derived(visit_id) else ""


def _newest_visit(db: Connection, site_id: int, visit_ids: Sequence[str], now: datetime) -> str:
    """Of the ids under which the visit may go on, the newest live one, also as a successor."""
    for first in reversed(visit_ids):
        visit_id = first
        for ordinal in range(1, MAX_SUCCESSORS):
            visit = find_visit_state(db, site_id, visit_id)
            if visit is None:
                break
            if is_live(visit, now):
                return visit_id
            visit_id = successor_id(site_id, first, ordinal)
    return visit_ids[-1]


_CHANGES: dict[ChatAction, _Change] = {
    ChatAction.SHOWN: mark_shown,
    ChatAction.ACCEPT: accept,
    ChatAction.DISMISS: dismiss,
    ChatAction.TYPING: _type,
}
_PERFORM: dict[type[Struct], Callable[[Connection, Any], Struct]] = {
    OpenConversation: _open,
    ChangeConversation: _change,
    InviteByRule: _invite,
    InviteOnExit: _invite_on_exit,
    DeliverInvitation: _deliver,
}
