"""Rules that invite visitors by themselves: list, switch on and off, change, delete and add."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.accounts.identity import Role
from core.chat.rules import add_rule, change_rule, delete_rule, list_rules
from core.moment import utc_now
from core.tables import ChatRule, Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import small_text
from pages.parts.viewer import REFUSALS, read_as
from pages.sites.invitation_rule_form import Fields, changes_of, draw_fields, fields_of
from pages.sites.invitation_rule_text import limits_of, record_of, sentence_of
from pages.sites.saving import apply, draw_saved, draw_stored_toggle

HELP = (
    "A rule invites visitors by itself, in the name of the available agent with the fewest open "
    "chats: only while an agent is available, and only in visits that have had no invitation and "
    "no chat yet. A new rule is off until you switch it on."
)
_EDITED = "rule edited"


def draw_chat_rules(site: Site) -> None:
    """Draw the site's rules, each with its results, and the fields of a new one."""
    assert site.id is not None
    site_id = site.id
    small_text(HELP)
    draw_saved(_place(site))
    try:
        rules = read_as(Role.ADMIN, lambda db: list_rules(db, site_id), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    for rule in rules:
        with st.container(border=True):
            _draw_rule(site, rule)
    with st.expander("Add a rule", icon=":material/add:", expanded=False):
        _draw_new(site)


def _draw_rule(site: Site, rule: ChatRule) -> None:
    if st.session_state.get(_EDITED) == rule.id:
        _draw_edited(site, rule)
        return
    st.html(f'<p class="rule">{escape(sentence_of(rule))}</p>')
    st.text(rule.text)
    small_text(f"{limits_of(rule)}. {record_of(rule)}.")
    key = f"{rule.id} of {site.key}"
    with st.container(horizontal=True, vertical_alignment="center"):
        is_enabled = draw_stored_toggle("On", rule.is_enabled, f"on {key}")
        is_edited = st.button("Edit", icon=":material/edit:", key=f"edit {key}")
        is_deleted = st.button("Delete", icon=":material/delete:", key=f"delete {key}")
    if is_edited:
        st.session_state[_EDITED] = rule.id
        st.rerun()
    if is_deleted:
        apply(
            Role.ADMIN,
            lambda db: delete_rule(db, rule.site_id, rule.id),
            site,
            "The rule is deleted.",
            place=_place(site),
        )
    if is_enabled is not None:
        apply(
            Role.ADMIN,
            lambda db: change_rule(db, rule.site_id, rule.id, is_enabled=is_enabled),
            site,
            f"The rule is {'on' if is_enabled else 'off'}.",
            place=_place(site),
        )


def _draw_edited(site: Site, rule: ChatRule) -> None:
    fields = draw_fields(f"{rule.id} of {site.key}", fields_of(rule), site.time_zone)
    with st.container(horizontal=True):
        is_saved = st.button("Save rule", type="primary", key=f"save {rule.id} of {site.key}")
        is_left = st.button("Cancel", key=f"leave {rule.id} of {site.key}")
    if is_left:
        del st.session_state[_EDITED]
        st.rerun()
    if is_saved:
        apply(
            Role.ADMIN,
            lambda db: change_rule(db, rule.site_id, rule.id, **changes_of(fields)),
            site,
            "The rule is changed.",
            place=_place(site),
            forget=_EDITED,
        )


def _draw_new(site: Site) -> None:
    assert site.id is not None
    site_id = site.id
    prefix = f"new rule of {site.key}"
    fields = draw_fields(prefix, Fields(), site.time_zone)
    if st.button("Add invitation rule", type="primary", key=f"add {prefix}"):
        apply(
            Role.ADMIN,
            lambda db: add_rule(db, site_id, utc_now(), **changes_of(fields)),
            site,
            "The rule is added. It is off: switch it on when you are ready.",
            place=_place(site),
            forget=prefix,
        )


def _place(site: Site) -> str:
    return f"rules of {site.key}"
