"""A component's data as the bytes that the browser reads: what many viewers get is written once for all.

Streamlit passes bytes on as they are. A dict it would write as JSON, twice and with every letter that is
not ASCII as an escape, for each viewer and each draw. component_data.js reads the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


class ReadyJson(str):
    """A value that is JSON already."""


def as_json(value: Any) -> ReadyJson:
    """The value as JSON; a dataclass becomes an object of its fields."""
    return ReadyJson(json.dumps(value, default=vars, ensure_ascii=False, separators=(",", ":")))


def ready_data(**values: Any) -> bytes:
    """An object of these values, of which some may be ready, as `data` of a component."""
    written = (
        f'"{name}":{value if isinstance(value, ReadyJson) else as_json(value)}'
        for name, value in values.items()
    )
    return f"{{{','.join(written)}}}".encode(errors="replace")


def rows_of(**columns: Sequence[Any]) -> Mapping[str, Any]:
    """A table of these columns, which are equally long, as components get it: their names once, and each row's values."""
    return {"columns": [*columns], "data": [*zip(*columns.values(), strict=True)]}


def values_of(column: pd.Series[Any]) -> list[Any]:
    """A frame's column as JSON knows values; what is missing is None. Several times as quick as pandas' own JSON
    for the hundred rows of a page: a category is looked up once for all its rows."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = [*column.dtype.categories.tolist(), None]  # the code of what is missing is -1
        return [categories[code] for code in column.cat.codes.tolist()]
    is_plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "bi"
    if is_plain or (column.dtype == "str" and not column.hasnans):
        return column.tolist()
    return json.loads(column.to_json(orient="values"))  # pyright: ignore[reportArgumentType]
