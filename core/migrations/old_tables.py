"""What the tables from which visits are moved have, and have not: those of 0001 to 0010."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

_READ_UNTIL = "0010"
_CHATS_SINCE, _READABLE_SINCE, _CARTS_SINCE = "0002", "0003", "0005"
_CARTS = {"cart_value": "0", "cart_currency": "''", "visit_number": "0"}
"""Columns of visits, and what they are where a version has not had them yet, as their migration says too."""


class OldTables(NamedTuple):
    """are_escaped: paths may still be stored as browsers send them; then they become readable on the way.
    has_chats: there are conversations. has_carts: visits have what a cart is worth, and the visitor's visits are counted."""

    are_escaped: bool
    has_chats: bool
    has_carts: bool

    def visit_value(self, name: str) -> str:
        """A column of the visit `v`, in SQL."""
        return f"v.{name}" if self.has_carts else _CARTS.get(name, f"v.{name}")


def are_there(db: sa.Connection) -> bool:
    """Whether visits are still in the tables that they are moved from."""
    return _revision(db) <= _READ_UNTIL


def old_tables(db: sa.Connection) -> OldTables:
    """What they have now; the version's own migrations may just have added it."""
    revision = _revision(db)
    return OldTables(
        are_escaped=revision < _READABLE_SINCE or _is_unread(db),
        has_chats=revision >= _CHATS_SINCE,
        has_carts=revision >= _CARTS_SINCE,
    )


def _revision(db: sa.Connection) -> str:
    return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()


def _is_unread(db: sa.Connection) -> bool:
    found = db.execute(sa.text("SELECT 1 FROM backlog WHERE name = 'readable_paths'"))
    return found.first() is not None
