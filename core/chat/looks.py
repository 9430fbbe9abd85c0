"""How each site's dialog looks and what it says: the owner's settings over what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from core.chat.colours import is_colour, is_seen, nearest_seen, text_on
from core.chat.hours import Hours, are_hours
from core.chat.templates import ChatSettingsError, hold_site
from core.chat.words import LANGUAGES, RIGHT_TO_LEFT, words_of
from core.enrich.text import clean
from core.tables import ChatLook

USUAL_COLOUR = "#495dd7"
"""Where the owner has chosen none; embed/chat/style.js has the same."""

LONGEST_WORDS = 200
"""Characters of one text: on a phone about six lines."""


class Corner(StrEnum):
    """Where the dialog stands. On a page that runs from right to left it is the other one."""

    RIGHT = "right"
    LEFT = "left"


class EmailField(StrEnum):
    """Whether who leaves a message is asked for an e-mail address."""

    NONE = ""
    OFFERED = "offered"
    REQUIRED = "required"


class LookChanges(TypedDict, total=False):
    """What the owner sets; "" and empty are what is usual."""

    title: str
    greeting: str
    colour: str
    corner: str
    words: Mapping[str, Mapping[str, str]]
    email: str
    hours: Hours
    asks_rating: bool


def find_look(db: Connection, site_id: int) -> ChatLook:
    """What the site has set, else what is usual."""
    statement = select(ChatLook).where(col(ChatLook.site_id) == site_id)
    row = db.execute(statement).mappings().one_or_none()
    return ChatLook(site_id=site_id) if row is None else ChatLook.of(row)


def all_looks(db: Connection) -> Mapping[int, ChatLook]:
    """What the sites have set, by their ids; a site that has set nothing is not among them."""
    rows = db.execute(select(ChatLook)).mappings()
    return {look.site_id: look for look in map(ChatLook.of, rows)}


def change_look(db: Connection, site_id: int, **changes: Unpack[LookChanges]) -> ChatLook:
    """The look as it is now. Raises ChatSettingsError for a value that cannot be used."""
    hold_site(db, site_id)
    columns: dict[str, Any] = {**find_look(db, site_id).model_dump(), **changes}
    look = ChatLook(**columns)
    look.title, look.greeting = map(_check_text, (look.title, look.greeting))
    look.words = _check_words(look.words)
    look.colour = _check_colour(look.colour)
    if look.corner not in list(Corner) or look.email not in list(EmailField):
        raise ChatSettingsError("This corner or this e-mail field is none that there is.")
    if not are_hours(look.hours):
        raise ChatSettingsError(
            "The business hours cannot be used: each day's must end after they begin, at midnight at the latest."
        )
    values = look.model_dump(exclude={"site_id"})
    mine = update(ChatLook).where(col(ChatLook.site_id) == site_id).values(**values)
    if not db.execute(mine).rowcount:
        db.execute(insert(ChatLook).values(site_id=site_id, **values))
    return look


def texts_of(look: ChatLook, language: str) -> dict[str, str]:
    """What the dialog says in the language: the owner's own text, else the title and the greeting of all languages, else ours."""
    own = {"title": look.title, "greeting": look.greeting} | look.words.get(language, {})
    return {**words_of(language), **{name: text for name, text in own.items() if text}}


def own_texts(language: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Those that say something else than ours."""
    ours = words_of(language)
    own = {name: texts.get(name, "").strip() for name in ours}
    return {name: text for name, text in own.items() if text not in ("", ours[name])}


def payload_of(look: ChatLook, language: str) -> dict[str, Any]:
    """What the visitor's dialog is told of the look (docs/chat.md)."""
    return {
        "lang": language,
        "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "colour": look.colour,
        "text": text_on(look.colour) if look.colour else "",
        "corner": look.corner,
        "email": look.email,
        "rating": int(look.asks_rating),
        "words": texts_of(look, language),
    }


def _check_colour(colour: str) -> str:
    colour = colour.strip().lower()
    if not colour or colour == USUAL_COLOUR:
        return ""
    if not is_colour(colour):
        raise ChatSettingsError(f"The colour '{colour}' cannot be used: write it as #495dd7.")
    if not is_seen(colour):
        raise ChatSettingsError(
            f"The colour {colour} is hard to see on a light page or on a dark one: "
            f"the nearest that is seen on both is {nearest_seen(colour)}."
        )
    return colour


def _check_words(words: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The texts that differ from ours, by language."""
    kept: dict[str, dict[str, str]] = {}
    for language in filter(words.get, LANGUAGES):
        if own := own_texts(language, words[language]):
            kept[language] = {name: _check_text(text) for name, text in own.items()}
    return kept


def _check_text(text: str) -> str:
    excess = len(text.strip()) - LONGEST_WORDS
    if excess > 0:
        raise ChatSettingsError(
            f"The text '{text.strip()[:30]}…' has {excess} characters too many: {LONGEST_WORDS} have room. Shorten it."
        )
    return clean(text, LONGEST_WORDS)
