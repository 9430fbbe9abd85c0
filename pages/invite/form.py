"""The form of an invitation: a template, the text, Send."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.chat.invitations import invite
from core.chat.states import TemplateKind
from core.chat.templates import ChatSettingsError, add_template, check_length, mark_used
from core.database import Connection
from core.enrich.page_context import PageContext
from core.moment import utc_now
from core.reasons import Refused
from core.tables import Agent, ChatTemplate, Conversation, Site
from pages.invite.invitation_state import InvitationState
from pages.parts.agent import current_agent, draw_name_form
from pages.parts.notices import refusal_title
from pages.parts.texts import notice
from pages.parts.viewer import REFUSALS, write_as, write_as_agent

HAS_PAID = "The visitor is on the page after the payment: an invitation may disturb."
WHY_NAME = "The visitor sees who invites."
_REFUSED = "invitation refused"
_NOT_SENT = "Not sent."

SHOWN_CHARACTERS = 90
"""How much of a text the list of templates shows."""


def draw_form(site: Site, invitation_state: InvitationState) -> None:
    """Draw the form. The next run reads a sent invitation from the database; `draw_refusal` shows a
    refusal, because the form may be gone by then."""
    if invitation_state.visit.page_context == PageContext.PURCHASED:
        notice(HAS_PAID, title="Has just paid.", kind="warn")
    agent = current_agent().agent
    if agent is None:
        if draw_name_form("invitation", WHY_NAME):
            st.rerun()  # the whole page: its sidebar opens the agent's stream
        return
    key = f"invitation to {invitation_state.visit.id}"
    templates = {template.id: template for template in invitation_state.templates}
    st.session_state.setdefault(key, next((each.text for each in templates.values()), ""))
    if templates:
        _draw_templates(key, templates)
    text = st.text_area(
        "Invitation",
        height=110,
        placeholder="Hello! Can I help you?",
        key=key,
        on_change="ignore",
    )
    with st.container(horizontal=True):
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            key=f"{key} send",
            on_click=_send,
            args=(site, invitation_state, agent, key),
        )
        is_saving = st.button("Save as template", key=f"{key} keep")
    if is_saving:
        _save_template(site, text, {template.text for template in invitation_state.templates})


def draw_refusal() -> None:
    """Say why the invitation that the agent has just sent was refused."""
    title, text = st.session_state.pop(_REFUSED, ("", ""))
    if text:
        notice(text, title=title, kind="bad")


def _draw_templates(key: str, templates: dict[str, ChatTemplate]) -> None:
    def insert() -> None:
        st.session_state[key] = templates[st.session_state[f"{key} template"]].text

    st.selectbox(
        "Template",
        list(templates),
        format_func=lambda name: _shortened(templates[name].text),
        key=f"{key} template",
        on_change=insert,
    )


def _save_template(site: Site, text: str, known: set[str]) -> None:
    assert site.id is not None
    site_id = site.id
    if text.strip() in known:
        notice("This text is a template already.")
        return
    try:
        write_as(
            Role.AGENT,
            lambda db: add_template(db, site_id, TemplateKind.INVITATION, text, utc_now()),
            site,
        )
    except (ChatSettingsError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not saved."), kind="bad")
        return
    notice("From now on it is among the site's templates.", title="Saved.", kind="good")


def _send(site: Site, invitation_state: InvitationState, agent: Agent, key: str) -> None:
    text = st.session_state[key]
    try:
        check_length(text)
        sent = write_as_agent(
            agent, lambda db: _invite(db, site, invitation_state, agent, text), site
        )
    except (ChatSettingsError, *REFUSALS) as error:
        st.session_state[_REFUSED] = (refusal_title(error, _NOT_SENT), str(error))
        return
    if isinstance(sent, Refused):
        st.session_state[_REFUSED] = (_NOT_SENT, sent.reason.agent_text)


def _invite(
    db: Connection, site: Site, invitation_state: InvitationState, agent: Agent, text: str
) -> Conversation | Refused:
    assert site.id is not None and agent.id is not None
    now = utc_now()
    sent = invite(
        db,
        site_id=site.id,
        visit_id=invitation_state.visit.id,
        agent_id=agent.id,
        text=text,
        now=now,
    )
    used = next((each for each in invitation_state.templates if each.text == text.strip()), None)
    if used and isinstance(sent, Conversation):
        mark_used(db, site.id, used.id, now)
    return sent


def _shortened(text: str) -> str:
    """The text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS].rstrip()}…"
