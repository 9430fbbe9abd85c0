"""What the visitor's dialog says, in each language: one file of embed/chat/words/ for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from core.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "embed" / "chat" / "words"

ENGLISH = "en"
"""The language of every page and browser that none of the others is for. It has every text."""

RIGHT_TO_LEFT = frozenset(("ar", "he"))

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
    "pt": "Português",
    "pl": "Polski",
    "tr": "Türkçe",
    "ar": "العربية",
    "he": "עברית",
    "ja": "日本語",
    "zh": "中文",
}
"""Each language's own name, by its code (ISO 639-1)."""


@cache
def words_of(language: str) -> Mapping[str, str]:
    """The texts by their names. new_one, new_two, new_few, new_many and new_other are plural forms (CLDR) of one."""
    return json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
