"""What holds of every text that is stored, whatever was sent."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from sqlalchemy import Engine, select

from collector.beacon.hit import LONGEST_CAMPAIGN, LONGEST_TITLE
from core.chat.limits import LONGEST_MESSAGE
from core.database import reading
from core.enrich.page_context import PageContext
from core.enrich.text import (
    LONGEST_ATTRIBUTE,
    LONGEST_ATTRIBUTE_NAME,
    LONGEST_PATH,
    LONGEST_REFERRER,
    clean,
    clean_lines,
    clean_path,
)
from core.enrich.url import LONGEST_HOST
from core.tables import Table
from core.visits.visit import MAX_ATTRIBUTES

LABELS = {
    "visit": {
        "entry_path": LONGEST_PATH,
        "current_path": LONGEST_PATH,
        "current_title": LONGEST_TITLE,
        "referrer": LONGEST_REFERRER,
        "source": LONGEST_HOST,
        "source_kind": 20,
        "medium": LONGEST_CAMPAIGN,
        "campaign": LONGEST_CAMPAIGN,
        "browser": 40,
        "os": 40,
        "device": 40,
        "country": 2,
        "language": 40,
        "time_zone": 100,
        "cart_currency": 3,
        "visitor_id": 40,
        "id": 40,
    },
    "page": {"path": LONGEST_PATH, "title": LONGEST_TITLE},
    "visit_tab": {"id": 40},
    "site_origin": {"host": LONGEST_HOST},
    "drop_count": {"reason": 40},
}
"""The longest text of each column with a visitor's words, or with what is made of them."""

_PATHS = {("visit", "entry_path"), ("visit", "current_path"), ("page", "path")}
_MANY_LINES = {("message", "text")}


def broken_rules(engine: Engine) -> Iterator[str]:
    """Each stored value that breaks a rule, with its table and column."""
    for table in Table.metadata.sorted_tables:
        with reading(engine) as db:
            rows = db.execute(select(table)).mappings().all()
        for row in rows:
            for name, value in row.items():
                for text in _texts(value):
                    if fault := _fault(table.name, name, text):
                        yield f"{table.name}.{name} {fault}: {text[:200]!r}"
            if table.name == "visit" and (fault := _fault_of_pairs(row["attributes"])):
                yield f"visit.attributes {fault}"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)


def _fault(table: str, column: str, text: str) -> str:
    if (table, column) in _MANY_LINES:
        return "is not clean" if clean_lines(text, LONGEST_MESSAGE) != text else ""
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        return "has a control character"
    limit = LABELS.get(table, {}).get(column)
    if limit is not None and clean(text, limit) != text:
        return f"is not clean, or longer than {limit}"
    if (table, column) in _PATHS and text and clean_path(text) != text:
        return "is no clean path"
    if column == "page_context" and text not in set(PageContext):
        return "is no context"
    return ""


def _fault_of_pairs(pairs: dict[str, str]) -> str:
    if len(pairs) > MAX_ATTRIBUTES:
        return f"has {len(pairs)} pairs"
    for name, value in pairs.items():
        if clean(name, LONGEST_ATTRIBUTE_NAME) != name or clean(value, LONGEST_ATTRIBUTE) != value:
            return f"is not clean: {name!r} {value!r}"
    return ""
