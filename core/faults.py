"""How a fault is named in a log: its text may quote what a visitor sent, so the text is left out."""

from __future__ import annotations

import traceback
from pathlib import Path


def place_fault(fault: BaseException) -> str:
    """File and line where it was raised."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
