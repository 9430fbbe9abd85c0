"""A site's chat: its button on the website, its templates, and its rules."""

from __future__ import annotations

import streamlit as st

from core.chat.states import TemplateKind
from core.tables import Site
from pages.parts.texts import small_text, subheading
from pages.sites.invitation_rules import draw_chat_rules
from pages.sites.saving import draw_stored_toggle, save
from pages.sites.templates import TEXTS, draw_templates

BUTTON = (
    "By the button, visitors begin a chat themselves. While an agent is available they can talk "
    "at once; while nobody is, they can leave a short message. Without it, only those who are "
    "invited can chat."
)


def draw_chat(site: Site) -> None:
    """Draw one card each for the button, the templates and the rules."""
    left, right = st.columns(2)
    with left:
        with st.container(border=True):
            subheading("Chat button")
            _draw_button(site)
        draw_templates_card(site)
    with right, st.container(border=True):
        subheading("Invitations by rule")
        draw_chat_rules(site)


def draw_templates_card(site: Site) -> None:
    """Draw the card with the texts that agents use again."""
    with st.container(border=True):
        subheading("Templates")
        tabs = st.tabs([TEXTS[kind].name for kind in TemplateKind], key=f"templates of {site.key}")
        for kind, tab in zip(TemplateKind, tabs, strict=True):
            with tab:
                draw_templates(site, kind)


def _draw_button(site: Site) -> None:
    small_text(BUTTON)
    is_shown = draw_stored_toggle(
        "Chat button on the website", site.chat_button, f"chat button of {site.key}"
    )
    if is_shown is not None:
        save(site, chat_button=is_shown)
