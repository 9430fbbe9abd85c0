"""A site's addresses for notices: list, test, switch on and off, change, delete and add. For admins only."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from core.accounts.identity import Role
from core.database import Connection
from core.moment import utc_now
from core.notices.addresses import (
    AddressState,
    add_address,
    address_states,
    change_address,
    delete_address,
    find_address,
    note_attempt,
)
from core.notices.kinds import KIND_NAMES, STAYS, NoticeKind
from core.notices.sending import send_text
from core.notices.text import test_text, with_link
from core.settings import settings
from core.tables import Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import day_and_time_of, notice, plural, small_text
from pages.parts.viewer import REFUSALS, read_as, write_as
from pages.sites.notice_address_form import Wanted, draw_place, draw_wanted
from pages.sites.saving import apply, draw_saved, draw_stored_toggle

HELP = (
    "What happens on this site can be told outside of the browser: a chat that nobody takes within 30 seconds, a "
    "message that was left, and visitors. The collector sends it, by itself, to each address below."
)
_EDITED = "notice address edited"


def draw_addresses(site: Site) -> None:
    """Draw the site's addresses, each with how it goes, and the fields of a new one."""
    assert site.id is not None
    site_id = site.id
    small_text(HELP)
    draw_saved(_place(site))
    try:
        states = read_as(Role.ADMIN, lambda db: address_states(db, site_id), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    for state in states:
        with st.container(border=True):
            _draw_address(site, state)
    with st.expander("Add an address", icon=":material/add:", expanded=False):
        _draw_new(site)


def _draw_address(site: Site, state: AddressState) -> None:
    if st.session_state.get(_EDITED) == state.id:
        _draw_edited(site, state)
        return
    st.html(f'<p class="rule">{escape(state.place)}</p>')
    small_text(_wanted_text(state))
    small_text(_record_text(site, state))
    if state.fault:
        notice(state.fault, title="The last attempt failed.", kind="warn")
    key = f"{state.id} of {site.key}"
    with st.container(horizontal=True, vertical_alignment="center"):
        is_enabled = draw_stored_toggle("On", state.is_enabled, f"on {key}")
        is_tested = st.button("Test", icon=":material/send:", key=f"test {key}")
        is_edited = st.button("Edit", icon=":material/edit:", key=f"edit {key}")
        is_deleted = st.button("Delete", icon=":material/delete:", key=f"delete {key}")
    if is_tested:
        _test(site, state)
    if is_edited:
        st.session_state[_EDITED] = state.id
        st.rerun()
    if is_deleted:
        _change(site, lambda db, site_id: delete_address(db, site_id, state.id), "deleted")
    if is_enabled is not None:
        _change(
            site,
            lambda db, site_id: change_address(db, site_id, state.id, is_enabled=is_enabled),
            "on" if is_enabled else "off",
        )


def _draw_edited(site: Site, state: AddressState) -> None:
    st.html(f'<p class="rule">{escape(state.place)}</p>')
    before = Wanted(state.kinds, state.minutes, state.with_words)
    wanted = draw_wanted(f"{state.id} of {site.key}", before)
    with st.container(horizontal=True):
        is_saved = st.button("Save address", type="primary", key=f"save {state.id}")
        is_left = st.button("Cancel", key=f"leave {state.id}")
    if is_left:
        del st.session_state[_EDITED]
        st.rerun()
    if is_saved:
        _change(
            site,
            lambda db, site_id: change_address(db, site_id, state.id, **wanted._asdict()),
            "changed",
            forget=_EDITED,
        )


def _draw_new(site: Site) -> None:
    prefix = f"new address of {site.key}"
    url_of = draw_place(prefix)
    wanted = draw_wanted(prefix, Wanted())
    if st.button("Add address", type="primary", key=f"add {prefix}"):
        _change(
            site,
            lambda db, site_id: add_address(db, site_id, url_of(), utc_now(), **wanted._asdict()),
            "added: press Test to see whether it works",
            forget=prefix,
        )


def _change(
    site: Site, change: Callable[[Connection, int], object], done: str, forget: str = ""
) -> None:
    assert site.id is not None
    site_id = site.id
    apply(
        Role.ADMIN,
        lambda db: change(db, site_id),
        site,
        f"The address is {done}.",
        place=_place(site),
        forget=forget,
    )


def _test(site: Site, state: AddressState) -> None:
    """Send a text now, from this process, and say in plain words what came of it."""
    assert site.id is not None
    site_id = site.id
    try:
        address = read_as(Role.ADMIN, lambda db: find_address(db, site_id, state.id), site)
        if address is None:
            return
        text = test_text(site)
        with st.spinner("Sending …"):
            fault = send_text(
                address.url, text.title, with_link(text, settings().dashboard_address)
            )
        write_as(Role.ADMIN, lambda db: note_attempt(db, site_id, state.id, fault, utc_now()), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if fault:
        notice(fault, title="Not sent.", kind="bad")
    else:
        notice("The server has taken it: see whether it arrived.", title="Sent.", kind="good")


def _wanted_text(state: AddressState) -> str:
    kinds = [NoticeKind(kind) for kind in state.kinds if kind in set(NoticeKind)]
    names = [
        f"{KIND_NAMES[kind]} for {plural(state.minutes, 'minute')}"
        if kind in STAYS
        else KIND_NAMES[kind]
        for kind in kinds
    ]
    words = "With the visitor's words" if state.with_words else "Without the visitor's words"
    return f"{'; '.join(names)}. {words}."


def _record_text(site: Site, state: AddressState) -> str:
    told = (
        f"Last sent {day_and_time_of(state.told_at, site.time_zone)}"
        if state.told_at
        else "Nothing was sent yet"
    )
    waits = f"{plural(state.waiting, 'notice')} on the way" if state.waiting else ""
    lost = f"{plural(state.given_up, 'notice')} given up after a day" if state.given_up else ""
    return f"{'. '.join(filter(None, (told, waits, lost)))}."


def _place(site: Site) -> str:
    return f"addresses of {site.key}"
