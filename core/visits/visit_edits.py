"""Who has changed the visits of a site since its writer did: by it the writer trusts what it keeps in memory.

The row of a site names the writer that wrote its visits last, and which of its batches that was. Whoever else
inserts, updates or deletes rows of `visit`, `page_view` or `visit_span` says so here, in the same transaction and
under the lock of all writers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case, func, literal, or_

from core.database import insert_into
from core.tables import Table

LONGEST = 4_000
"""Characters of the ids in one row: some 200 visits. With more of them, all of the site count as changed."""

_edit = Table.metadata.tables["visit_edit"]


def note_edit(db: Connection, site_id: int, visit_id: str) -> None:
    """Say that one visit of the site was changed: a writer reads it again."""
    _, note_one = _statements(db)
    db.execute(
        note_one, {"site_id": site_id, "writer": "", "batch": 0, "edited_visits": f"{visit_id} "}
    )


def note_all_edited(db: Connection, site_ids: Iterable[int]) -> None:
    """Say that any visits of these sites were changed: a writer reads all of them again."""
    note_all, _ = _statements(db)
    rows = [
        {"site_id": id, "writer": "", "batch": 0, "edited_visits": ""}
        for id in sorted(set(site_ids))
    ]
    if rows:
        db.execute(note_all, rows)


def _statements(db: Connection) -> tuple[Any, Any]:
    """For any visits of a site, and for one; built once for each database."""
    name = db.dialect.name
    if name not in _built:
        _built[name] = _build(insert_into(db, _edit))
    return _built[name]


def _build(rows: Any) -> tuple[Any, Any]:
    is_for_all = or_(_edit.c.writer == "", func.length(_edit.c.edited_visits) > LONGEST)
    one = {
        "writer": case((is_for_all, ""), else_=_edit.c.writer),
        "edited_visits": case(
            (is_for_all, ""), else_=_edit.c.edited_visits + rows.excluded.edited_visits
        ),
    }
    every = {"writer": literal(""), "edited_visits": literal("")}
    key = ["site_id"]
    return (
        rows.on_conflict_do_update(index_elements=key, set_=every),
        rows.on_conflict_do_update(index_elements=key, set_=one),
    )


_built: dict[str, tuple[Any, Any]] = {}
