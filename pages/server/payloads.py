"""Conversations and messages as the agent's browser gets them: see docs/chat.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.accounts.identity import SiteIds
from core.agents import agents_of_site
from core.chat.answerers import answerers
from core.chat.conversation_facts import ConversationFacts, RowKey, agent_names, facts_of
from core.chat.mail_answer import mailto, question_of, recipient
from core.chat.notes import notes
from core.chat.outcome import end_text, outcome_text, steps_taken
from core.chat.phase import phase_of
from core.chat.queries import (
    Changes,
    changes_since,
    invitations,
    messages,
    messages_of,
    newest_revision,
    open_conversations,
    unread_counts,
)
from core.chat.states import Author, ConversationState
from core.chat.store import find_conversation
from core.chat.typing import typing_until
from core.database import Connection
from core.mail.answers import mail_answers, mail_state
from core.mail.server import sites_with_server
from core.moment import to_milliseconds
from core.sites import find_site, list_sites
from core.tables import Conversation, ConversationNote, MailAnswer, Message, Site

Payload = dict[str, Any]

NO_WAY: Payload = {"mails": False, "mailto": ""}
"""What a conversation has that is no left message."""

LONGEST_LAST = 120
"""Characters of the newest message that the list shows."""

FORGOTTEN_AFTER = timedelta(hours=12) // timedelta(milliseconds=1)
"""Milliseconds: a browser that reconnects later gets what is open, not all changes since."""

COMMITTED_WITHIN = timedelta(minutes=10) // timedelta(milliseconds=1)
"""Milliseconds from the moment when a change gets its revision, by the clock of whoever writes it, until it is
committed: transactions take seconds, and clocks of servers differ by less."""


def news_since(
    db: Connection, revision: int, now: int, site_ids: SiteIds = None, told: int = 0
) -> Payload:
    """What has changed since the revision on these sites; `now` in milliseconds.

    For 0 or an old revision it is `whole`: every conversation that is open, or was left and is not
    ticked off, every invitation, and no messages. told: see `read_news_since`.

    On Postgres the change of one site may be committed after one of another site with a higher revision.
    So there it goes back by COMMITTED_WITHIN: what the browser has already, it takes for what it is.
    """
    if now - revision <= FORGOTTEN_AFTER:
        is_ordered = db.dialect.name == "sqlite"
        changes = changes_since(db, revision if is_ordered else revision - COMMITTED_WITHIN)
        seen = seen_of(changes, site_ids)
        reached = [at for id, at in changes.place.items() if site_ids is None or id in site_ids]
        return news_of(db, seen._replace(revision=max([*reached, told, revision])), now)
    listed = seen_of(Changes([*open_conversations(db), *invitations(db)], (), 0), site_ids)
    changes = listed._replace(revision=max(newest_revision(db), told))
    return {**news_of(db, changes, now), "whole": True}


def seen_of(changes: Changes, site_ids: SiteIds) -> Changes:
    """The changes of these sites."""
    if site_ids is None:
        return changes
    return changes._replace(
        conversations=[each for each in changes.conversations if each.site_id in site_ids],
        messages=[each for each in changes.messages if each.site_id in site_ids],
    )


def news_of(db: Connection, changes: Changes, now: int) -> Payload:
    """The payload of the changes, as a stream sends it."""
    keys = {site.id: site.key for site in list_sites(db)}
    return {
        "id": changes.revision,
        "now": now,
        "conversations": _conversations(db, changes.conversations),
        "messages": _messages(db, changes.messages, keys),
    }


def conversation_payload(
    db: Connection, site_key: str, conversation_id: str, site_ids: SiteIds = None
) -> Payload | None:
    """One conversation with all its messages and notes; None when there is none on these sites."""
    site = find_site(db, site_key)
    if site is None or site.id is None or (site_ids is not None and site.id not in site_ids):
        return None
    found = find_conversation(db, site.id, conversation_id)
    if found is None:
        return None
    return {
        "conversation": _conversations(db, [found])[0],
        "messages": _messages(db, messages(db, site.id, conversation_id), {site.id: site.key}),
        "notes": _notes(db, notes(db, site.id, conversation_id)),
    }


def colleagues_payload(
    db: Connection, site_key: str, agent_id: int, now: datetime, site_ids: SiteIds = None
) -> list[Payload]:
    """The other agents who see the site and have the dashboard open, available ones first; none of a site
    that the agent does not see."""
    site = find_site(db, site_key)
    if site is None or site.id is None or (site_ids is not None and site.id not in site_ids):
        return []
    return [
        {"id": each.id, "name": each.name, "is_available": each.is_available}
        for each in agents_of_site(db, now, site.id)
        if each.id != agent_id
    ]


def action_payload(
    db: Connection, site: Site, conversation_id: str, message: Message | None
) -> Payload:
    """The conversation as it is now, and the new message."""
    assert site.id is not None
    found = find_conversation(db, site.id, conversation_id)
    return {
        "conversations": _conversations(db, [found] if found else []),
        "messages": _messages(db, [message] if message else [], {site.id: site.key}),
    }


def _conversations(db: Connection, conversations: Sequence[Conversation]) -> list[Payload]:
    facts = facts_of(db, conversations)
    unread = unread_counts(db, conversations)
    names = agent_names(db) if any(each.done_by for each in conversations) else {}
    ways = _ways_to_answer(db, conversations, facts)
    return [
        _conversation(each, facts[each.site_id, each.id], unread.get((each.site_id, each.id), 0))
        | {"done_by": names.get(each.done_by, "")}
        | ways.get((each.site_id, each.id), NO_WAY)
        for each in conversations
        if (each.site_id, each.id) in facts
    ]


def _ways_to_answer(
    db: Connection,
    conversations: Sequence[Conversation],
    facts: Mapping[RowKey, ConversationFacts],
) -> dict[RowKey, Payload]:
    """Of those that were left: whether the site can mail, and what opens a mail program."""
    left = [
        each
        for each in conversations
        if each.state == ConversationState.LEFT and (each.site_id, each.id) in facts
    ]
    if not left:
        return {}
    mailing = sites_with_server(db, {each.site_id for each in left})
    said = messages_of(db, left)
    found: dict[RowKey, Payload] = {}
    for each in left:
        key = each.site_id, each.id
        email = each.email or facts[key].email
        words = question_of(said.get(key, ()))
        found[key] = {
            "mails": each.site_id in mailing and bool(recipient(email)),
            "mailto": mailto(email, facts[key].site_name, words),
        }
    return found


def _conversation(conversation: Conversation, facts: ConversationFacts, unread: int) -> Payload:
    steps = steps_taken(conversation, facts.agent_name)
    email = conversation.email or facts.email
    return {
        "site": facts.site_key,
        "site_name": facts.site_name,
        "id": conversation.id,
        "visit": conversation.visit_id,
        "visitor": facts.visitor,
        "path": facts.path,
        "state": conversation.state,
        "phase": phase_of(conversation.state),
        "state_text": outcome_text(conversation.state, conversation.closed_by),
        "end_text": end_text(conversation, facts.agent_name),
        "steps": [(text, to_milliseconds(at)) for text, at in steps],
        "agent": conversation.agent_id,
        "agent_name": facts.agent_name,
        "answerers": answerers(conversation),
        "unread": unread,
        "read": conversation.visitor_read,
        "waiting_since": _ms(conversation.waiting_since),
        "vacated_at": _ms(conversation.vacated_at),
        "given_at": _ms(conversation.given_at),
        "gone_at": _ms(conversation.gone_at),
        "done_at": _ms(conversation.done_at),
        "note_count": conversation.note_count,
        "email": email,
        "message_at": _ms(conversation.message_at),
        "created_at": _ms(conversation.created_at),
        "closed_at": _ms(conversation.closed_at),
        "typing_until": _ms(typing_until(conversation, Author.VISITOR)),
        "last": facts.last[:LONGEST_LAST],
        "revision": conversation.revision,
    }


def _messages(
    db: Connection, messages: Sequence[Message], site_keys: Mapping[int | None, str]
) -> list[Payload]:
    names = agent_names(db) if messages else {}
    of_agents = {(m.site_id, m.conversation_id) for m in messages if m.author == Author.AGENT}
    mailed = mail_answers(db, of_agents) if of_agents else {}
    return [
        {
            "site": site_keys[each.site_id],
            "id": each.conversation_id,
            "n": each.number,
            "author": each.author,
            "agent": each.agent_id,
            "agent_name": names.get(each.agent_id, ""),
            "text": each.text,
            "at": _ms(each.sent_at),
            "client": each.client_id,
            "mail": _mail(mailed.get(each.site_id, {}).get((each.conversation_id, each.number))),
        }
        for each in messages
        if each.site_id in site_keys
    ]


def _mail(answer: MailAnswer | None) -> Payload | None:
    return None if answer is None else {"state": mail_state(answer), "fault": answer.fault}


def _notes(db: Connection, notes: Sequence[ConversationNote]) -> list[Payload]:
    names = agent_names(db) if notes else {}
    return [
        {
            "n": each.number,
            "agent": each.agent_id,
            "agent_name": names.get(each.agent_id, ""),
            "text": each.text,
            "at": _ms(each.written_at),
        }
        for each in notes
    ]


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_milliseconds(moment)
