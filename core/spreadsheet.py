"""What makes a CSV safe to open in a spreadsheet, for files of every kind."""

from __future__ import annotations

import re

BYTE_ORDER_MARK = "\ufeff"
"""A spreadsheet without it takes the bytes of UTF-8 for letters of its own country."""

END_OF_LINE = "\r\n"
"""With it a CR inside a cell is quoted too: unquoted, it would begin a new row."""

# Full-width and small forms and the minus sign count in spreadsheets of some languages; spaces and
# what cannot be seen before them do not save the cell.
BEGINS_FORMULA = (
    r"[\t\r\n]"
    r"|[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
)
"""A cell that begins like this is run as a formula, or begins a row; an apostrophe before it makes it a text."""

_begins_formula = re.compile(BEGINS_FORMULA)


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _begins_formula.match(text) else text
