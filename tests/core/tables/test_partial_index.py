"""An index of some rows, whichever database it is made in."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from core.tables.base import PartialIndex

DIALECTS: list[Any] = [sqlite.dialect(), postgresql.dialect()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=["sqlite", "postgres"])
def test_partial_index_has_its_condition_in_both_databases(dialect: Any) -> None:
    index = PartialIndex("large", "x", where=text("x > 1"), unique=True)
    Table("t", MetaData(), Column("x", Integer), index)
    made = str(CreateIndex(index).compile(dialect=dialect))
    assert made == "CREATE UNIQUE INDEX large ON t (x) WHERE x > 1"
