"""A site's templates: the texts that agents use again, as invitations and as replies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.accounts.identity import Role
from core.chat.states import TemplateKind
from core.chat.templates import add_template, change_template, delete_template, list_templates
from core.moment import utc_now
from core.tables import ChatTemplate, Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import small_text
from pages.parts.viewer import REFUSALS, read_as
from pages.sites.saving import apply, draw_saved

_EDITED = "template edited"


@dataclass(frozen=True)
class TemplateTexts:
    """The words for one kind of template: its name, what it is for, and suggestions to begin with."""

    name: str
    use: str
    suggestions: tuple[str, ...]


TEXTS = {
    TemplateKind.INVITATION: TemplateTexts(
        "Invitations",
        "What an agent can invite a visitor with. The one used last comes first.",
        (
            "Hello! Can I help you to find something?",
            "Hello! Do you have a question about this product? I can answer it.",
            "Hello! Can I do anything to help you complete your order?",
        ),
    ),
    TemplateKind.REPLY: TemplateTexts(
        "Replies",
        "What an agent can put into an answer with one click. The one used last comes first.",
        (
            "Hello! How can I help you?",
            "One moment, please: I am looking into it.",
            "Is there anything else I can do for you?",
            "Thank you for the chat. Have a good day!",
        ),
    ),
}


def draw_templates(site: Site, kind: TemplateKind) -> None:
    """Draw the site's templates of one kind, a field for a new one, and suggestions."""
    assert site.id is not None
    site_id, texts = site.id, TEXTS[kind]
    small_text(texts.use)
    draw_saved(_place(site, kind))
    try:
        templates = read_as(Role.AGENT, lambda db: list_templates(db, site_id, kind), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    for template in templates:
        _draw_template(site, template)
    _draw_new(site, kind, max((template.created_at for template in templates), default=None))
    _draw_suggestions(site, kind, {template.text for template in templates})


def _draw_template(site: Site, template: ChatTemplate) -> None:
    key = f"{template.id} of {site.key}"
    if st.session_state.get(_EDITED) == key:
        _draw_edited(site, template, key)
        return
    text, buttons = st.columns([3, 2], vertical_alignment="center")
    text.text(template.text)
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        is_edited = st.button("Edit", icon=":material/edit:", key=f"edit {key}")
        is_deleted = st.button("Delete", icon=":material/delete:", key=f"delete {key}")
    if is_edited:
        st.session_state[_EDITED] = key
        st.rerun()
    if is_deleted:
        apply(
            Role.AGENT,
            lambda db: delete_template(db, template.site_id, template.id),
            site,
            "The template is deleted.",
            place=_place(site, TemplateKind(template.kind)),
        )


def _draw_edited(site: Site, template: ChatTemplate, key: str) -> None:
    with st.form(f"edited {key}"):
        text = st.text_area("Text", value=template.text)
        with st.container(horizontal=True):
            is_saved = st.form_submit_button("Save template", type="primary")
            is_left = st.form_submit_button("Cancel")
    if is_left:
        del st.session_state[_EDITED]
        st.rerun()
    if is_saved:
        apply(
            Role.AGENT,
            lambda db: change_template(db, template.site_id, template.id, text),
            site,
            "The template is changed.",
            place=_place(site, TemplateKind(template.kind)),
            forget=_EDITED,
        )


def _draw_new(site: Site, kind: TemplateKind, added_at: datetime | None) -> None:
    """Draw the field for a new template: it keeps what is refused, and is another one after the last was added."""
    form = st.form(f"new {kind} of {site.key}", border=False)
    with form.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_area(
            f"New template for {TEXTS[kind].name.lower()}",
            height=68,
            key=f"new {kind} of {site.key} {added_at}",
        )
        is_sent = st.form_submit_button("Add template")
    if is_sent:
        _add(site, kind, text)


def _draw_suggestions(site: Site, kind: TemplateKind, known: set[str]) -> None:
    """Draw the suggestions that the site does not have yet; one click adds one."""
    new = [text for text in TEXTS[kind].suggestions if text not in known]
    if not new:
        return
    with st.expander("Suggestions", expanded=not known, key=f"suggested {kind} of {site.key}"):
        for position, text in enumerate(new):
            suggestion, buttons = st.columns([4, 1], vertical_alignment="center")
            suggestion.text(text)
            with buttons.container(horizontal=True, horizontal_alignment="right"):
                key = f"add {kind} {position} of {site.key}"
                if st.button("Add", icon=":material/add:", key=key):
                    _add(site, kind, text)


def _add(site: Site, kind: TemplateKind, text: str) -> None:
    assert site.id is not None
    site_id = site.id
    apply(
        Role.AGENT,
        lambda db: add_template(db, site_id, kind, text, utc_now()),
        site,
        "The template is added.",
        place=_place(site, kind),
    )


def _place(site: Site, kind: TemplateKind) -> str:
    return f"{kind} of {site.key}"
