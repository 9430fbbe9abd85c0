"""Columns of many rows: the database writes each as one list in JSON.

That takes half of the time that as many rows take to become Python's, and leaves it nothing to look through for garbage.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, SQLColumnExpression, Text, cast, func


def listed(column: SQLColumnExpression[Any], dialect: str) -> ColumnElement[str]:
    """All values of a column of numbers or texts, for `read_list`; dialect: the name of the database's."""
    as_list = func.json_agg if dialect == "postgresql" else func.json_group_array
    return cast(as_list(column), Text)


def read_list(text: str | None) -> list[Any]:
    """The values, in no order. text: None where there are none, on Postgres."""
    return msgspec.json.decode(text or "[]")
