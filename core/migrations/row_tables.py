"""The tables of small rows, as revision 0011 has made them; until the move is over, visits are `numbered_visit`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

_INT, _BIG, _SMALL = sa.Integer(), sa.BigInteger(), sa.SmallInteger()
_STRING, _TEXT, _BOOL = sa.String(), sa.Text(), sa.Boolean()

Columns = tuple[tuple[str, sa.types.TypeEngine[Any]], ...]

OLD_VIEW: Columns = (
    ("site_id", _INT),
    ("visit_id", _STRING),
    ("tab", _STRING),
    ("number", _INT),
    ("viewed_at", _BIG),
    ("path", _STRING),
    ("title", _STRING),
    ("page_context", _STRING),
)
OLD_SPAN: Columns = (
    ("site_id", _INT),
    ("visit_id", _STRING),
    ("tab", _STRING),
    ("kind", _STRING),
    ("number", _INT),
    ("from_at", _BIG),
    ("until_at", _BIG),
    ("is_open", _BOOL),
)
ROWS: dict[str, tuple[Columns, int]] = {
    "visit_sequence": ((("site_id", _INT), ("last", _INT)), 1),
    "visit_memory": ((("site_id", _INT), ("visit", _INT), ("memory", _TEXT)), 2),
    "visit_tab": ((("site_id", _INT), ("visit", _INT), ("tab", _INT), ("id", _STRING)), 3),
    "page": (
        (
            ("site_id", _INT),
            ("id", _BIG),
            ("uses", _INT),
            ("path", _STRING),
            ("title", _STRING),
            ("page_context", _STRING),
        ),
        2,
    ),
    "page_view_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("tab", _INT),
            ("number", _INT),
            ("viewed_after", _BIG),
            ("page", _BIG),
        ),
        4,
    ),
    "visit_span_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("tab", _INT),
            ("kind", _SMALL),
            ("number", _INT),
            ("is_open", _BOOL),
            ("from_after", _BIG),
            ("length", _BIG),
        ),
        5,
    ),
    "visit_change_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("number", _INT),
            ("kind", _SMALL),
            ("changed_after", _BIG),
            ("page", _BIG),
            ("told", _TEXT),
        ),
        3,
    ),
}
"""Columns, and how many of them are the key."""


_MOMENTS = ("started_at", "last_seen_at", "last_activity_at", "in_view_until")
_TEXTS = (
    *("entry_path", "current_path", "current_title", "page_context", "referrer", "source"),
    *("source_kind", "medium", "campaign", "browser", "os", "device", "country", "language"),
    "time_zone",
)
VISIT: Columns = (
    ("site_id", _INT),
    *((name, _STRING) for name in ("id", "visitor_id", "follows")),
    *((name, _BIG) for name in _MOMENTS),
    ("page_count", _INT),
    *((name, _STRING) for name in _TEXTS),
    ("attributes", _TEXT),
    ("cart_value", sa.Float()),
    ("cart_currency", _STRING),
    ("visit_number", _INT),
    ("chat_source", _STRING),
    ("chat_started_at", _BIG),
    ("chat_message_at", _BIG),
)


def create_tables(db: sa.Connection) -> None:
    """Make them, empty."""
    for name, (columns, keys) in ROWS.items():
        create_table(db, name, columns, keys)
    table = sa.Table(
        "numbered_visit",
        sa.MetaData(),
        *_of(VISIT),
        sa.Column("number", _INT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name="numbered_visit_pkey"),
    )
    sa.Index("visit_by_number", table.c.site_id, table.c.number, unique=True)
    table.create(db)


def drop_tables(db: sa.Connection) -> None:
    """Drop those that are there."""
    for name in ("numbered_visit", *ROWS):
        db.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))


def create_table(
    db: sa.Connection, name: str, columns: Columns, keys: int, *, with_rowid: bool = False
) -> None:
    """Make one; the first columns, so many, are its key."""
    key = sa.PrimaryKeyConstraint(*(column for column, _ in columns[:keys]))
    table = sa.Table(name, sa.MetaData(), *_of(columns), key, sqlite_with_rowid=with_rowid)
    table.create(db)


def _of(columns: Columns) -> list[sa.Column[Any]]:
    nullable = ("chat_started_at", "chat_message_at")
    return [sa.Column(name, kind, nullable=name in nullable) for name, kind in columns]
