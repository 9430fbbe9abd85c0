"""A site's mail server on the page Sites: what is set, its test, its fields. For admins only."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.accounts.accounts import find_account
from core.accounts.identity import Role
from core.mail.sending import send_check
from core.mail.server import (
    ServerFields,
    ServerState,
    delete_server,
    find_server,
    note_server,
    server_state,
    set_server,
)
from core.moment import utc_now
from core.notices.address_url import Security
from core.tables import Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import day_and_time_of, notice, small_text
from pages.parts.viewer import REFUSALS, read_as, viewer, write_as
from pages.sites.notice_address_form import SECURITY_NAMES
from pages.sites.saving import apply, draw_saved

HELP = (
    "With a mail server of its own the site's agents answer messages that visitors have left in Chats, and the "
    "answer stands in the conversation. Without one, Answer opens the mail program of the agent's computer."
)
KEPT_HELP = "Leave both empty to keep what is stored. It is shown to nobody again."


def draw_mail_server(site: Site) -> None:
    """Draw how it is set and how it goes, or the fields of one."""
    assert site.id is not None
    site_id = site.id
    small_text(HELP)
    draw_saved(_place(site))
    try:
        state = read_as(Role.ADMIN, lambda db: server_state(db, site_id), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if state is None:
        with st.expander("Set a mail server", icon=":material/mail:", expanded=False):
            _draw_fields(site, None)
    elif st.session_state.get(_edited(site)):
        _draw_fields(site, state)
    else:
        _draw_state(site, state)


def _draw_state(site: Site, state: ServerState) -> None:
    sender = f"{state.from_name or site.name} <{state.from_address}>"
    st.html(f'<p class="rule">{escape(sender)}</p>')
    small_text(_way_text(state))
    record = st.container()
    to = _draw_test_address(site)
    with st.container(horizontal=True, vertical_alignment="center"):
        is_tested = st.button("Test", icon=":material/send:", key=f"test mail of {site.key}")
        is_edited = st.button("Edit", icon=":material/edit:", key=f"edit mail of {site.key}")
        is_deleted = st.button("Remove", icon=":material/delete:", key=f"delete mail of {site.key}")
    if is_tested:
        _test(site, to)
    else:
        with record:
            _draw_record(site, state)
    if is_edited:
        st.session_state[_edited(site)] = True
        st.rerun()
    if is_deleted:
        assert site.id is not None
        site_id = site.id
        text = "The mail server is removed: what was on its way is not sent."
        apply(Role.ADMIN, lambda db: delete_server(db, site_id), site, text, place=_place(site))


def _draw_record(site: Site, state: ServerState) -> None:
    """How the last attempt went."""
    if state.fault:
        when = day_and_time_of(state.fault_at, site.time_zone) if state.fault_at else ""
        notice(state.fault, title=f"The last attempt failed, {when}.", kind="warn")
    elif state.tested_at is None:
        small_text("Nothing was sent by it yet: press Test.")
    else:
        small_text(f"It last took a mail {day_and_time_of(state.tested_at, site.time_zone)}.")


def _draw_fields(site: Site, before: ServerState | None) -> None:
    key = f"mail of {site.key}"
    fields = _drawn(key, before)
    with st.container(horizontal=True):
        is_saved = st.button("Save mail server", type="primary", key=f"save {key}")
        is_left = before is not None and st.button("Cancel", key=f"leave {key}")
    if is_left:
        del st.session_state[_edited(site)]
        st.rerun()
    if is_saved:
        assert site.id is not None
        site_id = site.id
        apply(
            Role.ADMIN,
            lambda db: set_server(db, site_id, fields),
            site,
            "The mail server is set: press Test to see whether it works.",
            place=_place(site),
            forget=key,
        )


def _drawn(key: str, before: ServerState | None) -> ServerFields:
    """Draw the fields; returns what they have now."""
    with st.container(horizontal=True):
        from_address = st.text_input(
            "Answers come from",
            before.from_address if before else "",
            placeholder="hello@shop.example",
            help="The mailbox that reads what visitors reply.",
            key=f"{key} from",
        )
        from_name = st.text_input(
            "Name", before.from_name if before else "", help="Else the site's.", key=f"{key} name"
        )
    with st.container(horizontal=True):
        host = st.text_input(
            "Mail server",
            before.host if before else "",
            placeholder="smtp.example.com",
            key=f"{key} host",
        )
        port = st.number_input(
            "Port", 1, 65_535, before.port if before else 587, key=f"{key} port", width=130
        )
    security = st.selectbox(
        "Encryption",
        list(Security),
        list(Security).index(before.security) if before else 0,
        format_func=SECURITY_NAMES.__getitem__,
        key=f"{key} security",
    )
    with st.container(horizontal=True):
        username = st.text_input(
            "User name",
            autocomplete="off",
            placeholder=before.username if before else "",
            help=KEPT_HELP if before else None,
            key=f"{key} username",
        )
        password = st.text_input(
            "Password", type="password", autocomplete="new-password", key=f"{key} password"
        )
    return ServerFields(host, int(port), security, username, password, from_address, from_name)


def _draw_test_address(site: Site) -> str:
    """Where the test goes: to the admin's own address; where nobody has to sign in, they write one."""
    own = _own_address()
    if own:
        small_text(f"Test sends a mail to {own}.")
        return own
    return st.text_input(
        "Send the test to", placeholder="you@shop.example", key=f"test to of {site.key}"
    )


def _own_address() -> str:
    try:
        agent_id = viewer().agent_id
        account = read_as(Role.ADMIN, lambda db: find_account(db, agent_id)) if agent_id else None
    except REFUSALS:
        return ""
    return account.agent.email if account else ""


def _test(site: Site, to: str) -> None:
    """Send a mail now, from this process, and say in plain words what came of it."""
    assert site.id is not None
    site_id = site.id
    if not to.strip():
        notice("Write the address to which the test goes.", title="Not sent.", kind="bad")
        return
    try:
        server = read_as(Role.ADMIN, lambda db: find_server(db, site_id), site)
        if server is None:
            return
        with st.spinner("Sending …"):
            outcome = send_check(server, site.name, to.strip(), utc_now())
        if not outcome.is_of_mail:
            write_as(
                Role.ADMIN, lambda db: note_server(db, site_id, outcome.fault, utc_now()), site
            )
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if outcome.fault:
        notice(outcome.fault, title="Not sent.", kind="bad")
    else:
        notice("The server has taken it: see whether it arrived.", title="Sent.", kind="good")


def _way_text(state: ServerState) -> str:
    login = f", as {state.username}" if state.username else ", without a user name"
    security = SECURITY_NAMES[state.security].partition(" (")[0]
    how = "without encryption" if state.security is Security.NONE else f"by {security}"
    return f"By {state.host}, port {state.port}{login}, {how}."


def _edited(site: Site) -> str:
    """Forgotten with the fields once they are saved."""
    return f"mail of {site.key} is edited"


def _place(site: Site) -> str:
    return f"mail server of {site.key}"
