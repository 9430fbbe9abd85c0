"""The section "Chat dialog": how a site's dialog looks, what it says, and when it is there."""

from __future__ import annotations

from datetime import time
from typing import Any

import streamlit as st

from core.accounts.identity import Role
from core.chat.colours import is_seen, nearest_seen
from core.chat.hours import DAY, Hours
from core.chat.looks import (
    LONGEST_WORDS,
    USUAL_COLOUR,
    Corner,
    EmailField,
    LookChanges,
    change_look,
    find_look,
    own_texts,
)
from core.chat.words import ENGLISH, LANGUAGES, words_of
from core.tables import ChatLook, Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import notice, small_text, subheading
from pages.parts.viewer import REFUSALS, read_as
from pages.sites.dialog_preview import draw_preview
from pages.sites.saving import apply, draw_saved

EXPLAINED = (
    "The dialog speaks the language of the page, or of the visitor's browser. What you write here takes the "
    "place of our texts; nothing is changed before it is saved."
)
HOURS_EXPLAINED = "Outside them the chat button takes a message, also while an agent is available."
EMAIL_FIELDS = {
    EmailField.OFFERED: "Offer a field for it",
    EmailField.REQUIRED: "Require it",
    EmailField.NONE: "Do not ask for it",
}
CORNERS = {Corner.RIGHT: "Right", Corner.LEFT: "Left"}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WORKING_HOURS = (9 * 60, 17 * 60)
"""What is proposed for a day, in minutes since midnight."""


def draw_dialog_look(site: Site) -> None:
    """Draw the fields beside the preview of what they make."""
    assert site.id is not None
    site_id = site.id
    with st.container(border=True):
        subheading("Chat dialog")
        small_text(EXPLAINED)
        draw_saved(_place(site))
        try:
            look = read_as(Role.ADMIN, lambda db: find_look(db, site_id), site)
        except REFUSALS as error:
            draw_unanswered(error)
            return
        fields, preview = st.columns(2, gap="medium")
        with fields:
            language = st.selectbox(
                "Texts in",
                list(LANGUAGES),
                format_func=LANGUAGES.__getitem__,
                key=_key(site, "language"),
            )
            changes = _draw_fields(site, look, language)
            if st.button("Save chat dialog", type="primary", key=_key(site, "save")):
                _save(site, changes)
        with preview:
            draw_preview(ChatLook(**{**look.model_dump(), **changes}), language)


def _draw_fields(site: Site, look: ChatLook, language: str) -> LookChanges:
    ours = words_of(language)
    title = _text(site, "Title in every language", look.title, ours["title"])
    greeting = _text(site, "Greeting in every language", look.greeting, ours["greeting"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = st.color_picker("Colour", look.colour or USUAL_COLOUR, key=_key(site, "colour"))
        corner = st.selectbox(
            "Corner",
            list(CORNERS),
            index=list(CORNERS).index(Corner(look.corner)),
            format_func=CORNERS.__getitem__,
            key=_key(site, "corner"),
        )
    colour = _draw_contrast(site, colour.lower())
    email = st.selectbox(
        "E-mail address of who leaves a message",
        list(EMAIL_FIELDS),
        index=list(EMAIL_FIELDS).index(EmailField(look.email)),
        format_func=EMAIL_FIELDS.__getitem__,
        key=_key(site, "email"),
    )
    asks_rating = st.toggle(
        "Ask for a rating after a chat", look.asks_rating, key=_key(site, "rating")
    )
    hours = _draw_hours(site, look.hours)
    own = _draw_words(site, look, language)
    return LookChanges(
        title=title,
        greeting=greeting,
        colour=colour,
        corner=corner.value,
        email=email.value,
        asks_rating=asks_rating,
        hours=hours,
        words={**look.words, language: own_texts(language, own)},
    )


def _text(site: Site, label: str, value: str, placeholder: str) -> str:
    return st.text_input(
        label,
        value=value,
        placeholder=placeholder,
        max_chars=LONGEST_WORDS,
        key=_key(site, label),
    )


def _draw_contrast(site: Site, colour: str) -> str:
    """The colour to preview; of one that is hard to see, the nearest that is not, which one click takes."""
    if is_seen(colour):
        return colour
    nearest = nearest_seen(colour)
    notice(
        f"{colour} is hard to see on a light page or on a dark one. The preview has the nearest that is seen on both.",
        title="Not this colour.",
        kind="bad",
    )

    def take() -> None:
        st.session_state[_key(site, "colour")] = nearest

    st.button(f"Take {nearest}", on_click=take, key=_key(site, "nearest"))
    return nearest


def _draw_words(site: Site, look: ChatLook, language: str) -> dict[str, str]:
    """The texts of the language as they are in their fields; each is named by what it says in English."""
    own = look.words.get(language, {})
    with st.expander(f"All texts in {LANGUAGES[language]}", key=_key(site, f"texts {language}")):
        return {
            name: st.text_input(
                _label(name),
                value=own.get(name, text),
                max_chars=LONGEST_WORDS,
                key=_key(site, f"{language} {name}"),
            )
            or ""
            for name, text in words_of(language).items()
        }


def _label(name: str) -> str:
    english = words_of(ENGLISH)
    if name.startswith("new_"):
        return f"{english['new_other']} ({name.removeprefix('new_')})"
    return f"{english[name]} ({name})" if name in ("accept", "title") else english[name]


def _draw_hours(site: Site, hours: Hours) -> Hours:
    has_hours = st.toggle(
        "Business hours", bool(hours), help=HOURS_EXPLAINED, key=_key(site, "has hours")
    )
    if not has_hours:
        return []
    small_text(f"{HOURS_EXPLAINED} By the site's clock: {site.time_zone}.")
    known = hours or [*[WORKING_HOURS] * 5, None, None]
    return [_draw_day(site, day, known[number]) for number, day in enumerate(DAYS)]


def _draw_day(site: Site, day: str, span: Any) -> tuple[int, int] | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        is_open = st.checkbox(day, span is not None, key=_key(site, day), width=130)
        if not is_open:
            return None
        from_at, until_at = map(_time, span or WORKING_HOURS)
        begins = st.time_input(f"{day} from", from_at, key=_key(site, f"{day} from"), width=120)
        ends = st.time_input(f"{day} until", until_at, key=_key(site, f"{day} until"), width=120)
    return _minutes(begins), _minutes(ends) or DAY


def _save(site: Site, changes: LookChanges) -> None:
    assert site.id is not None
    site_id = site.id
    apply(
        Role.ADMIN,
        lambda db: change_look(db, site_id, **changes),
        site,
        "The chat dialog is changed, in force within 5 seconds on each page that is opened then.",
        place=_place(site),
    )


def _time(minutes: int) -> time:
    return time(minutes % DAY // 60, minutes % 60)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _key(site: Site, name: str) -> str:
    return f"dialog {name} of {site.key}"


def _place(site: Site) -> str:
    return f"dialog of {site.key}"
