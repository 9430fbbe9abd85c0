"""Answers on their way: taken by one sender at a time, tried again after growing pauses, given up after a day.

Who takes one puts it off by TAKEN_FOR before sending. So it is sent at least once, and a second time, with the same
Message-ID, only when the sender was killed between sending and noting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update
from sqlmodel import col

from core.chat.closing import lock_conversation
from core.chat.left_messages import mark_done
from core.chat.mail_answer import question_of
from core.chat.queries import messages
from core.chat.store import find_conversation, tell_message
from core.mail.answers import recipient_of
from core.mail.letter import Letter
from core.mail.mail_outcome import MailOutcome
from core.mail.server import find_server, note_server
from core.notices.deliveries import GIVEN_UP_AFTER, PAUSES, pause_after
from core.sites import is_removed
from core.tables import Conversation, MailAnswer, MailServer, Message, Site

TAKEN_FOR = timedelta(minutes=5)
"""Longer than sending takes, where a server takes its time for each step."""

TAKEN_AT_ONCE = 50
"""Answers of a site that are read at once; the rest a moment later."""

NO_SERVER = "The site has no mail server any more: an admin sets one on the Sites page."


def due_answers(db: Connection, now: datetime) -> Mapping[int, Sequence[MailAnswer]]:
    """What is due, by the site's id, the oldest first: along an index that has nothing else."""
    sites = db.execute(select(col(MailAnswer.site_id)).where(_are_due(now)).distinct()).scalars()
    found: defaultdict[int, list[MailAnswer]] = defaultdict(list)
    for site_id in sites.all():
        of_site = (
            select(MailAnswer)
            .where(
                col(MailAnswer.site_id) == site_id,
                _are_due(now),
                ~is_removed(col(MailAnswer.site_id)),
            )
            .order_by(col(MailAnswer.asked_at))
            .limit(TAKEN_AT_ONCE)
        )
        for row in db.execute(of_site).mappings():
            found[site_id].append(MailAnswer.of(row))
    return found


def has_answers_on_their_way(db: Connection) -> bool:
    """Whether any answer waits to be sent, or to be given up because its site has no mail server any more."""
    waits = select(col(MailAnswer.site_id)).where(col(MailAnswer.due_at).is_not(None))
    return db.execute(waits.limit(1)).first() is not None


def take(db: Connection, due: MailAnswer, site: Site, now: datetime) -> Letter | MailOutcome | None:
    """The letter, which is the caller's until TAKEN_FOR is over; None where nothing is to be sent.

    An outcome where it is given up, as the site has no mail server any more.
    """
    taken = update(MailAnswer).where(*_is(due), _are_due(now))
    put_off = {"due_at": now + TAKEN_FOR, "attempts": col(MailAnswer.attempts) + 1}
    if not db.execute(taken.values(**put_off)).rowcount:
        return None
    server = find_server(db, due.site_id)
    if server is None:
        outcome = MailOutcome(NO_SERVER, is_final=True)
        note_failed(db, due, outcome, now)
        return outcome
    conversation = find_conversation(db, due.site_id, due.conversation_id)
    said = messages(db, due.site_id, due.conversation_id)
    mine = next((message for message in said if message.number == due.number), None)
    if conversation is None or mine is None:
        return None
    return _letter(db, due, server, site, conversation, mine, said)


def note_sent(db: Connection, due: MailAnswer, now: datetime) -> None:
    """The server has taken it: the message that was left is done, by the agent who has answered it."""
    note_server(db, due.site_id, "", now)
    values = {"sent_at": now, "due_at": None, "fault": ""}
    if (said := _tell(db, due, values, now)) is not None:
        mark_done(db, said.conversation, said.message.agent_id, True, now)


def note_failed(db: Connection, due: MailAnswer, outcome: MailOutcome, now: datetime) -> bool:
    """It could not be sent, for this reason; returns whether it was given up, and stands in agents' lists again."""
    if not outcome.is_of_mail:
        note_server(db, due.site_id, outcome.fault, now)
    tried = select(col(MailAnswer.attempts)).where(*_is(due))
    attempts = db.execute(tried).scalar() or 1
    is_given_up = outcome.is_final or due.asked_at <= now - GIVEN_UP_AFTER
    again_at = None if is_given_up else now + pause_after(attempts)
    said = _tell(db, due, {"due_at": again_at, "fault": outcome.fault}, now)
    if said is not None and is_given_up:
        mark_done(db, said.conversation, 0, False, now)
    return is_given_up


def count_not_sent(db: Connection) -> dict[int, int]:
    """How many answers were given up and still wait for an agent to see to them, by the id of the site."""
    site_id = col(MailAnswer.site_id)
    of_answer = (
        col(Conversation.site_id) == site_id,
        col(Conversation.id) == col(MailAnswer.conversation_id),
    )
    statement = (
        select(site_id, func.count())
        .join(Conversation, and_(*of_answer))
        .where(
            col(MailAnswer.due_at).is_(None),
            col(MailAnswer.sent_at).is_(None),
            col(Conversation.done_at).is_(None),
            ~is_removed(site_id),
        )
        .group_by(site_id)
    )
    return {row[0]: row[1] for row in db.execute(statement)}


class _Said(NamedTuple):
    conversation: Conversation
    message: Message


def _tell(db: Connection, due: MailAnswer, values: dict[str, Any], now: datetime) -> _Said | None:
    """Store how it went, and tell agents; None where the message is gone by now."""
    known = find_conversation(db, due.site_id, due.conversation_id)
    found = lock_conversation(db, known, now) if known is not None else None
    if found is None:
        return None
    db.execute(update(MailAnswer).where(*_is(due)).values(**values))
    message = tell_message(db, found, due.number, now)
    changed = find_conversation(db, due.site_id, due.conversation_id)
    return _Said(changed, message) if changed is not None and message is not None else None


def _letter(
    db: Connection,
    due: MailAnswer,
    server: MailServer,
    site: Site,
    conversation: Conversation,
    mine: Message,
    said: Sequence[Message],
) -> Letter:
    before = (
        col(MailAnswer.site_id) == due.site_id,
        col(MailAnswer.conversation_id) == due.conversation_id,
        col(MailAnswer.number) < due.number,
        col(MailAnswer.sent_at).is_not(None),
    )
    ids = select(col(MailAnswer.message_id)).where(*before).order_by(col(MailAnswer.number))
    return Letter(
        server=server,
        to=recipient_of(db, conversation),
        site_name=site.name,
        text=mine.text,
        question=question_of(said),
        message_id=due.message_id,
        earlier=db.execute(ids).scalars().all(),
        written_at=mine.sent_at,
    )


def _are_due(now: datetime) -> ColumnElement[bool]:
    """What waits for longer than the longest pause was put off before the clock was set back."""
    due_at = col(MailAnswer.due_at)
    return and_(due_at.is_not(None), or_(due_at <= now, due_at > now + PAUSES[-1]))


def _is(due: MailAnswer) -> tuple[Any, ...]:
    return (
        col(MailAnswer.site_id) == due.site_id,
        col(MailAnswer.conversation_id) == due.conversation_id,
        col(MailAnswer.number) == due.number,
    )
