"""A component's data as the bytes that the browser reads: what many viewers get is written once for all.

Streamlit passes bytes on as they are. A dict it would write as JSON, twice and with every letter that is
not ASCII as an escape, for each viewer and each draw. component_data.js reads the bytes.
"""

from __future__ import annotations

import json
from typing import Any


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
