"""The answer to a question in SQL as a frame: for analysts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from core.moment import to_milliseconds

_MOMENT = "_at"
"""How the columns end that hold moments; see docs/schema.md."""


def answer_frame(db: Connection, sql: str, **values: Any) -> pd.DataFrame:
    """The rows of a SELECT; columns whose names end in `_at` as moments in UTC.

    The SQL names its values, `:site`; a moment among them has to be aware. Tables and columns: docs/schema.md.
    """
    plain = {
        name: to_milliseconds(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
    found = db.execute(text(sql), plain)
    frame = pd.DataFrame(found.all(), columns=[*found.keys()])
    moments = {
        name: pd.to_datetime(frame[name], unit="ms", utc=True)
        for name in frame.columns
        if name.endswith(_MOMENT)
    }
    return frame.assign(**moments)
