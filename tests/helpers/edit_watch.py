"""Sees every transaction of this process that changes visits, and whether it says so.

A writer keeps visits in memory, and trusts them as long as nobody has said in `visit_edit` that they were changed
(core/visits/visit_edits.py). What tests write by themselves is not looked at.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from tests.helpers import statement_watch

unsaid_edits: list[str] = []
"""The first statement of each committed transaction that has changed visits and did not say so."""

_ROOT = Path(__file__).parents[2]
_OURS = tuple(f"{_ROOT / room}/" for room in ("core", "collector", "pages"))
_TESTS = tuple(f"{_ROOT / room}/" for room in ("tests", "benchmarks", "core/migrations"))
_WATCHES = (__file__, statement_watch.__file__)
_FOR_ALL = ("core/database.py", "core/compiled.py")
"""What runs statements for whoever calls it."""

_LOOKED_AT = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(visit|\w+_row)\b")
_SAYS_SO = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+visit_edit\b")
_STATE = "edit_watch"


def _look(info: dict[Any, Any], statement: str) -> None:
    if _LOOKED_AT.match(statement) and _is_ours():
        info.setdefault(_STATE, {}).setdefault("edit", statement)
    elif _SAYS_SO.match(statement):
        info.setdefault(_STATE, {})["said"] = statement


@event.listens_for(Engine, "commit")
def _judge(connection: Connection) -> None:
    seen = connection.info.pop(_STATE, {})
    if "edit" in seen and "said" not in seen:
        unsaid_edits.append(seen["edit"])


@event.listens_for(Engine, "rollback")
def _forget(connection: Connection) -> None:
    connection.info.pop(_STATE, None)


def _is_ours() -> bool:
    """Whether the product's own code runs the statement, and neither a test nor a migration."""
    frame = sys._getframe(1)
    while frame := frame.f_back:
        name = frame.f_code.co_filename
        if name.startswith(_TESTS) and name not in _WATCHES:
            return False
        if name.startswith(_OURS) and not name.endswith(_FOR_ALL):
            return True
    return False


statement_watch.watch(_look)
