"""What is counted of some days is found by these days, however long the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from core.database import insert_into, reading, writing
from core.rollups.day_number import number_of
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import read_days
from core.rollups.visitor_counts import read_first_visits
from core.tables import Table
from core.trends.slot_counts import read_slots

HISTORY = [date(2025, 1, 1) + timedelta(days=number) for number in range(400)]
ASKED = HISTORY[200:231]
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "cards": lambda db: read_days(db, 7, ASKED, [Dimension.SOURCE, Dimension.TIME]),
    "slots": lambda db: read_slots(db, 7, ASKED),
    "visitors": lambda db: read_first_visits(db, 7, ASKED, ASKED[0]),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_days_are_searched_in_the_index(database: Engine, name: str) -> None:
    count = Table.metadata.tables["trend_count"]
    measures = dict.fromkeys(("visits", "page_views", "one_page_visits", "seconds"), 1)
    rows = [
        {
            "site_id": 7,
            "day": number_of(day),
            "dimension": of.value,
            "value": str(value),
            **measures,
        }
        for day in HISTORY
        for of in (Dimension.SOURCE, Dimension.SLOT, Dimension.TIME, Dimension.VISITOR)
        for value in range(5)
    ]
    with writing(database) as db:
        db.execute(insert_into(db, count), rows)
        db.exec_driver_sql("ANALYZE")
    asked: list[tuple[str, Any]] = []
    event.listen(database, "before_cursor_execute", lambda *of: asked.append((of[2], of[3])))
    with reading(database) as db:
        QUESTIONS[name](db)
        statement, parameters = asked[-1]
        if database.dialect.name == "sqlite":
            plan = str(db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            assert "PRIMARY KEY (site_id=? AND day=? AND dimension=?" in plan
        else:
            plan = str(db.exec_driver_sql(f"EXPLAIN {statement}", parameters).all())
            assert "Index Cond" in plan and "day = ANY" in plan and "Seq Scan" not in plan
