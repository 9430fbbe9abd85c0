"""Rows by the hundred thousand, as columns: the database writes each as one text (see core/json_columns.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, Text, cast, func, select

from core.json_columns import listed, read_list

Integers = npt.NDArray[np.int64]


def read_integers(db: Connection, statement: Select[*tuple[Any, ...]]) -> Integers:
    """The rows of whole numbers, in no order: an array of each column, one below the other."""
    columns = statement.order_by(None).subquery().columns
    texts = db.execute(select(*(func.aggregate_strings(cast(each, Text), ",") for each in columns)))
    return np.array([np.fromstring(text or "", np.int64, sep=",") for text in texts.one()])


def read_columns(db: Connection, statement: Select[*tuple[Any, ...]]) -> Iterator[list[Any]]:
    """The rows of numbers and texts, in no order: a list of each column, made when it is taken."""
    columns = statement.order_by(None).subquery().columns
    texts = db.execute(select(*(listed(each, db.dialect.name) for each in columns)))
    return map(read_list, texts.one())


def coded(column: Sequence[Any]) -> tuple[Sequence[Any], Integers]:
    """The different values of a column, and of each row the place of its own."""
    places = {value: place for place, value in enumerate(dict.fromkeys(column))}
    codes = np.fromiter(map(places.__getitem__, column), np.int64, len(column))
    return [*places], codes
