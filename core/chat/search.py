"""Conversations that began in some days; of those, the ones in which, or by whose people, a text was said.

A search is for a text anywhere within a word, of which no index knows: it looks through so many at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Label,
    Row,
    Select,
    Text,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlmodel import col

from core.chat.retention import NO_VISIT
from core.enrich.text import clean
from core.tables import Agent, Conversation, Message, Visit

_ATTRIBUTES = type_coerce(col(Visit.attributes), Text)

LONGEST_SEARCH = 200
"""Characters; what is longer is cut."""

MOST_SEARCHED = 5_000
"""Conversations that a search looks through, the newest ones of its days (own): a text anywhere within a word has
no index, and each takes some 13 µs for its messages and its visit, on Postgres 24. Twice as many took Postgres more
than 0.3 s beside a collector at half of what it can (docs/scale.md)."""

FOUND_COLUMNS: tuple[Label[Any], ...] = (
    *(col(getattr(Conversation, name)).label(name) for name in Conversation.model_fields),
    func.coalesce(col(Agent.name), "").label("agent_name"),
    func.coalesce(_ATTRIBUTES, "").label("attributes"),
)
"""The columns of `found_conversations`: the conversation's, the agent's name, the visitor's attributes."""


def found_conversations(
    db: Connection,
    site_id: int,
    search: str = "",
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    *,
    limit: int = 100,
    offset: int = 0,
) -> Sequence[Row[Any]]:
    """The conversations with a message or a name that contains the text, the newest first.

    From `from_at` up to, but without, `until_at`, by their beginning. See FOUND_COLUMNS.
    """
    statement = _found(db, select(*FOUND_COLUMNS), site_id, search, from_at, until_at)
    newest_first = statement.order_by(col(Conversation.created_at).desc(), col(Conversation.id))
    return db.execute(newest_first.limit(limit).offset(offset)).all()


def count_found(
    db: Connection,
    site_id: int,
    search: str = "",
    from_at: datetime | None = None,
    until_at: datetime | None = None,
) -> int:
    """How many conversations `found_conversations` would return without a limit."""
    if clean(search, LONGEST_SEARCH):
        counted = _found(db, select(func.count()), site_id, search, from_at, until_at)
        return db.execute(counted).scalar_one()
    # Two counts along indexes: of those with a visit, each row would be read.
    began = (
        select(func.count()).select_from(Conversation).where(*_began(site_id, from_at, until_at))
    )
    withdrawn = began.where(col(Conversation.visit_id) == NO_VISIT)
    return db.execute(began).scalar_one() - db.execute(withdrawn).scalar_one()


def count_ratings(
    db: Connection,
    site_id: int,
    search: str = "",
    from_at: datetime | None = None,
    until_at: datetime | None = None,
) -> Mapping[str, int]:
    """How many of the conversations that `found_conversations` would return have each rating."""
    rating = col(Conversation.rating)
    by_rating: Any = select(rating, func.count()).group_by(rating)
    counted = _found(db, by_rating, site_id, search, from_at, until_at)
    rows: Any = db.execute(counted.where(rating != ""))
    return dict(rows.all())


def found_page(
    db: Connection,
    site_id: int,
    search: str,
    from_at: datetime,
    until_at: datetime,
    *,
    limit: int,
    offset: int,
) -> tuple[Sequence[Row[Any]], int]:
    """What `found_conversations` returns, and how many there are in all: where the page is the last one, it
    says so itself, and a search does not look through them twice."""
    days = (from_at, until_at)
    rows = found_conversations(db, site_id, search, *days, limit=limit, offset=offset)
    is_last = len(rows) < limit and (rows or not offset)
    return rows, offset + len(rows) if is_last else count_found(db, site_id, search, *days)


def _found(
    db: Connection,
    statement: Select[Any],
    site_id: int,
    search: str,
    from_at: datetime | None,
    until_at: datetime | None,
) -> Select[Any]:
    search = clean(search, LONGEST_SEARCH)
    if search:
        from_at = searched_from(db, site_id, from_at, until_at)
    statement = (
        statement.select_from(Conversation)
        .outerjoin(Agent, col(Agent.id) == col(Conversation.agent_id))
        .outerjoin(
            Visit,
            (col(Visit.site_id) == col(Conversation.site_id))
            & (col(Visit.id) == col(Conversation.visit_id)),
        )
        .where(*_began(site_id, from_at, until_at), col(Conversation.visit_id) != NO_VISIT)
    )
    return statement.where(_contains(db, search)) if search else statement


def searched_from(
    db: Connection, site_id: int, from_at: datetime | None, until_at: datetime | None
) -> datetime | None:
    """From when on a search in these days looks through the conversations: `from_at`, or later where they are
    more than MOST_SEARCHED."""
    newest_first = select(col(Conversation.created_at)).where(*_began(site_id, from_at, until_at))
    last = newest_first.order_by(col(Conversation.created_at).desc()).offset(MOST_SEARCHED).limit(1)
    left_out: datetime | None = db.execute(last).scalar()
    return from_at if left_out is None else left_out + timedelta(milliseconds=1)


def _began(
    site_id: int, from_at: datetime | None, until_at: datetime | None
) -> list[ColumnElement[bool]]:
    conditions = [col(Conversation.site_id) == site_id]
    if from_at is not None:
        conditions.append(col(Conversation.created_at) >= from_at)
    if until_at is not None:
        conditions.append(col(Conversation.created_at) < until_at)
    return conditions


def _contains(db: Connection, search: str) -> ColumnElement[bool]:
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # SQLite's LIKE ignores the case of ASCII letters itself, in half the time.
    ignores_case = db.dialect.name == "sqlite" and search.isascii()

    def has(text: Any) -> ColumnElement[bool]:
        folded = text if ignores_case else func.lower(text)
        pattern = f"%{escaped}%"
        return folded.like(pattern if ignores_case else func.lower(pattern), escape="\\")

    # Not EXISTS: for that, Postgres may read the messages of all sites first.
    said = (
        select(col(Message.number))
        .where(
            col(Message.site_id) == col(Conversation.site_id),
            col(Message.conversation_id) == col(Conversation.id),
            has(col(Message.text)),
        )
        .correlate(Conversation)
        .limit(1)
        .scalar_subquery()
    )
    names = (col(Agent.name), _attribute(db, "name"), _attribute(db, "email"))
    return or_(said.is_not(None), *map(has, names))


def _attribute(db: Connection, name: str) -> ColumnElement[str]:
    """The value that the visitor's attributes have under this name."""
    written = func.nullif(_ATTRIBUTES, "")
    if db.dialect.name == "postgresql":
        return cast(written, JSON)[name].as_string()
    return func.json_extract(written, f"$.{name}")
