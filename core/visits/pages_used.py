"""How often stored rows name each page: a page that no row names any more goes at once, with what it told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, union_all, update

from core.tables import Table

_page, _view, _change = (
    Table.metadata.tables[name] for name in ("page", "page_view_row", "visit_change_row")
)
_is_page = (_page.c.site_id == bindparam("of_site"), _page.c.id == bindparam("of_page"))
_use_less = update(_page).where(*_is_page).values(uses=_page.c.uses - bindparam("fewer"))
_drop = delete(_page).where(*_is_page, _page.c.uses <= 0)


def pages_of(db: Connection, site_id: int, visits: Sequence[int]) -> dict[int, int]:
    """How many rows of these visits, by their numbers, name each page, by its id."""
    named = union_all(
        *(
            select(table.c.page).where(table.c.site_id == site_id, table.c.visit.in_(visits))
            for table in (_view, _change)
        )
    ).subquery()
    counted = select(named.c.page, func.count()).where(named.c.page != 0).group_by(named.c.page)
    return dict(db.execute(counted).tuples().all())


def drop_uses(db: Connection, site_id: int, uses: Mapping[int, int]) -> None:
    """So many rows name each of these pages no more; the caller has deleted or changed them."""
    if not uses:
        return
    rows: list[dict[str, Any]] = [
        {"of_site": site_id, "of_page": page, "fewer": fewer}
        for page, fewer in sorted(uses.items())
    ]
    db.execute(_use_less, rows)
    db.execute(_drop, [{"of_site": site_id, "of_page": row["of_page"]} for row in rows])
