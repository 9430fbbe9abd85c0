"""All visits, moved into the tables of small rows: in bites while the old tables are in use, then what is left.

How far it is stands in the new tables themselves: each bite is one transaction, in the order of the visits' starts.
"""

# ruff: noqa: S608 (statements are made of the names below only)
from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from core.migrations import changed_visits, row_tables
from core.migrations.old_tables import are_there, old_tables
from core.migrations.progress_log import ProgressLog
from core.migrations.visit_bite import START, VISITS_A_BITE, VisitPlace, move_bite

Transaction = Callable[[], AbstractContextManager[sa.Connection]]
"""Begins one of the upgrade's transactions; committed at its end."""

_ROWS = ("page_view_row", "visit_span_row", "visit_memory", "visit_tab")
_COUNTED = (
    ("visit", "id", "numbered_visit"),
    ("page_view", "visit_id", "page_view_row"),
    ("visit_span", "visit_id", "visit_span_row"),
)
"""Old tables, what names the visit in them, and the new ones."""

_log = logging.getLogger("core.upgrade")


def move_in_bites(transaction: Transaction) -> None:
    """Move the visits, a bite in each transaction. Killed, it goes on after the last one.

    The old tables stay as they are and may be written by an earlier version; what that changes is noted, for
    `move_rest`. Two of these take turns.
    """
    with transaction() as db:
        if not are_there(db):
            return
        _begin(db)
        sites, moved, total = _sites(db), _moved(db), _count(db, "visit")
    if moved:
        _log.info("upgrade_goes_on visits=%d of=%d", moved, total)
    progress = ProgressLog(moved, total)
    for site in sites:
        is_there_more = True
        while is_there_more:
            with transaction() as db:
                if not are_there(db):  # another collector was faster
                    return
                place = _last_moved(db, site)
                is_there_more = move_bite(db, site, place, old_tables(db)) is not None
                progress.tell(_moved(db))


def move_rest(db: sa.Connection) -> None:
    """Move what is not moved yet, and what has changed since it was; nobody writes to the old tables any more."""
    if db.dialect.name == "postgresql":
        # Exclusive at once: two that hold a weaker lock would wait for each other.
        names = ", ".join(changed_visits.watched_tables(db))
        db.execute(sa.text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    _begin(db)
    _forget_changed(db)
    _sweep(db)
    if not _is_complete(db):
        _log.warning("upgrade_begins_anew reason='the old tables were changed behind its back'")
        row_tables.drop_tables(db)
        row_tables.create_tables(db)
        _sweep(db)
    db.execute(sa.text("DELETE FROM backlog WHERE name = 'readable_paths'"))


def _begin(db: sa.Connection) -> None:
    """Anew when a change may have gone unnoticed: somebody has put other tables in the place of the old ones."""
    if changed_visits.is_watched(db):
        return
    row_tables.drop_tables(db)
    changed_visits.watch(db)
    row_tables.create_tables(db)
    if db.dialect.name == "postgresql":
        for name in changed_visits.watched_tables(db):
            db.execute(sa.text(f"ANALYZE {name}"))


def _sweep(db: sa.Connection) -> None:
    old = old_tables(db)
    progress = ProgressLog(_moved(db), _count(db, "visit"))
    for site in _sites(db):
        place: VisitPlace | None = START
        while place:
            place = move_bite(db, site, place, old)
            progress.tell(_moved(db))


def _sites(db: sa.Connection) -> Sequence[int]:
    return (
        db.execute(sa.text("SELECT DISTINCT site_id FROM visit ORDER BY site_id")).scalars().all()
    )


def _moved(db: sa.Connection) -> int:
    total = sa.text("SELECT coalesce(sum(last), 0) FROM visit_sequence")
    return int(db.execute(total).scalar_one())


def _last_moved(db: sa.Connection, site: int) -> VisitPlace:
    found = db.execute(
        sa.text(
            "SELECT started_at, id FROM numbered_visit WHERE site_id = :site"
            " ORDER BY number DESC LIMIT 1"
        ),
        {"site": site},
    ).first()
    return VisitPlace(*found) if found else START


def _forget_changed(db: sa.Connection) -> None:
    """Take out of the new tables, bite by bite, what was noted; visits that are still there are moved anew then."""
    query = sa.text(
        "SELECT c.site_id, n.number, c.id FROM changed_visit AS c LEFT JOIN numbered_visit AS n"
        " ON n.site_id = c.site_id AND n.id = c.id LIMIT :bite"
    )
    while changed := db.execute(query, {"bite": VISITS_A_BITE}).all():
        moved = [{"site": site, "visit": number} for site, number, _ in changed if number]
        if moved:
            _forget(db, moved)
        noted = [{"site": site, "id": id} for site, _, id in changed]
        db.execute(sa.text("DELETE FROM changed_visit WHERE site_id = :site AND id = :id"), noted)


def _forget(db: sa.Connection, visits: Sequence[dict[str, Any]]) -> None:
    fewer = sa.text("UPDATE page SET uses = uses - 1 WHERE site_id = :site AND id = :page")
    named = sa.text("SELECT page FROM page_view_row WHERE site_id = :site AND visit = :visit")
    uses = [
        {"site": visit["site"], "page": page}
        for visit in visits
        for page in db.execute(named, visit).scalars()
    ]
    if uses:
        db.execute(fewer, uses)
        db.execute(
            sa.text("DELETE FROM page WHERE site_id = :site AND id = :page AND uses <= 0"), uses
        )
    for table in _ROWS:
        db.execute(sa.text(f"DELETE FROM {table} WHERE site_id = :site AND visit = :visit"), visits)
    db.execute(
        sa.text("DELETE FROM numbered_visit WHERE site_id = :site AND number = :visit"), visits
    )


def _is_complete(db: sa.Connection) -> bool:
    return all(
        _count(db, old) == _count(db, new) or _count_of_visits(db, old, visit) == _count(db, new)
        for old, visit, new in _COUNTED
    )


def _count(db: sa.Connection, table: str) -> int:
    return db.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


def _count_of_visits(db: sa.Connection, table: str, visit: str) -> int:
    """Without rows whose visit is not there: those are left behind."""
    return db.execute(
        sa.text(
            f"SELECT count(*) FROM {table} AS r WHERE EXISTS (SELECT 1 FROM visit AS v"
            f" WHERE v.site_id = r.site_id AND v.id = r.{visit})"
        )
    ).scalar_one()
