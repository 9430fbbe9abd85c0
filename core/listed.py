"""Very many numbers as one parameter: a JSON list that the database takes apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)


def listed_numbers(db: Connection, name: str) -> Select[int]:
    """The numbers of the JSON list that the parameter of this name has, to stand behind IN."""
    listed: Any = bindparam(name, type_=Text)
    if db.dialect.name == "postgresql":
        elements = func.json_array_elements_text(cast(listed, JSON))
    else:
        elements = func.json_each(listed)
    values = elements.table_valued(column("value"), name=f"listed_{name}")
    return select(cast(values.c.value, BigInteger))


def list_numbers(numbers: Iterable[int]) -> str:
    """Such a list."""
    return msgspec.json.encode(list(numbers)).decode()
