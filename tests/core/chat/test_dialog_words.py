"""The words of the visitor's dialog: every language says everything, and nothing is left to fill in."""

import re

import pytest

from core.chat.looks import LONGEST_WORDS
from core.chat.words import ENGLISH, FOLDER, LANGUAGES, words_of

PLURALS = {
    "new_one",
    "new_two",
    "new_few",
    "new_many",
}
"""Forms that not every language has."""

FORMS = {
    "fr": {"new_one"},
    "es": {"new_one"},
    "it": {"new_one"},
    "pt": {"new_one"},
    "pl": {"new_one", "new_few", "new_many"},
    "ar": {"new_one", "new_two", "new_few", "new_many"},
    "he": {"new_one", "new_two"},
}
"""By CLDR; where one form says the same as `new_other`, it is left out."""


def test_there_is_a_file_for_each_language():
    assert {path.stem for path in FOLDER.iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_says_everything(language):
    assert set(words_of(language)) - PLURALS == set(words_of(ENGLISH)) - PLURALS
    assert set(words_of(language)) & PLURALS == FORMS.get(language, set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_has_the_place_that_english_has(language):
    english = words_of(ENGLISH)
    for name, text in words_of(language).items():
        places = re.findall(r"\{(\w+)\}", text)
        wanted = re.findall(r"\{(\w+)\}", english.get(name, "{n}"))
        without_number = language in ("ar", "he") and name in ("new_one", "new_two")
        assert places == ([] if without_number else wanted), name
        assert text == text.strip()
        assert 0 < len(text) <= LONGEST_WORDS
