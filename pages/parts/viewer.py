"""Who looks at the page, and the only way by which a page reads or changes anything.

A button that is not drawn protects nothing: what it would do asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TypeVar

import streamlit as st

from core.accounts.identity import Identity, Role
from core.database import Connection
from core.deadline import DatabaseUnavailable, read, read_replica, write
from core.tables import Agent, Site
from pages.server.session_book import latest_guests
from pages.server.told_revisions import has_told

Answer = TypeVar("Answer")

SIGNED_OUT = "You are signed out: reload the page to sign in."
NOT_YOURS = "This site is not one of yours, or it is deleted."
SOMEBODY_ELSE = "Somebody else is signed in here by now: see what is shown, and do it again."
NOT_ALL_SITES = "Only admins who see every site may do this."
MAY_NOT = {
    Role.VIEWER: SIGNED_OUT,
    Role.AGENT: "Only agents and admins may do this. An admin can change your role.",
    Role.ADMIN: "Only admins may do this.",
}

_DRAWN_FOR = "identity that the page was drawn for"
_cookies: ContextVar[Mapping[str, str] | None] = ContextVar("cookies", default=None)


class NotAllowed(Exception):
    """The viewer may not do this; the text says who may."""


REFUSALS = (NotAllowed, DatabaseUnavailable)
"""Why what is asked for here is neither read nor changed."""


def viewer() -> Identity:
    """Who looks. Raises NotAllowed once they are signed out, and DatabaseUnavailable while it is not known."""
    guests = latest_guests()
    if guests.access is None:
        raise DatabaseUnavailable(guests.fault)
    cookies = _cookies.get()
    identity = guests.identity_of(st.context.cookies if cookies is None else cookies)
    if identity is None:
        raise NotAllowed(SIGNED_OUT)
    return identity


def viewer_of_run() -> Identity:
    """Who looks; once they are signed out, the whole page runs again and says so. For what draws.

    Raises DatabaseUnavailable while it is not known.
    """
    try:
        return viewer()
    except NotAllowed:
        st.rerun()


def may(role: Role) -> bool:
    """Whether the viewer may do what this role may: for what is drawn."""
    try:
        return viewer().may(role)
    except REFUSALS:
        return False


def may_add_sites() -> bool:
    """Whether the viewer may add a site: not an admin of some sites, who would not see it."""
    try:
        identity = viewer()
    except REFUSALS:
        return False
    return identity.may(Role.ADMIN) and identity.site_ids is None


def read_as(
    role: Role,
    question: Callable[[Connection], Answer],
    site: Site | None = None,
    *,
    is_long: bool = False,
) -> Answer:
    """The answer, if the viewer has the role and sees the site. Raises as `viewer` and `read`.

    Where there is a replica, it comes from there, with all that was written here (core/replica.py) and all that
    browsers were told of the site. is_long: as `read` takes it.
    """
    _require(role, site)
    return read_replica(question, lambda db: site is None or has_told(db, site), is_long=is_long)


def write_as(
    role: Role, change: Callable[[Connection], Answer], site: Site | None = None
) -> Answer:
    """What the change returns, if the viewer has the role and sees the site. Raises as `viewer` and `write`."""
    _require(role, site)
    return write(change)


def write_as_agent(
    agent: Agent, change: Callable[[Connection], Answer], site: Site | None = None
) -> Answer:
    """What a change in this agent's name returns, if they are who looks. Raises as `write_as`.

    The page may have been drawn for somebody else: what a click calls runs before the page.
    """
    identity = viewer()
    if identity.is_signed_in and identity.agent_id != agent.id:
        raise NotAllowed(SOMEBODY_ELSE)
    return write_as(Role.AGENT, change, site)


def read_for_all_sites(question: Callable[[Connection], Answer]) -> Answer:
    """The answer of the primary, if `may_add_sites`: for what is of the whole installation. Raises as `read_as`."""
    if viewer().site_ids is not None:
        raise NotAllowed(NOT_ALL_SITES)
    _require(Role.ADMIN, None)
    return read(question)


def write_for_all_sites(change: Callable[[Connection], Answer]) -> Answer:
    """What the change returns, if `may_add_sites`. Raises as `write_as`."""
    if viewer().site_ids is not None:
        raise NotAllowed(NOT_ALL_SITES)
    return write_as(Role.ADMIN, change)


def for_viewer(work: Callable[[], Answer]) -> Callable[[], Answer]:
    """The work, which asks here for this viewer although no page runs: that of a download."""
    cookies = dict(st.context.cookies)

    def do() -> Answer:
        token = _cookies.set(cookies)
        try:
            return work()
        finally:
            _cookies.reset(token)

    return do


def draw_for(identity: Identity) -> None:
    """Say for whom the whole page is drawn. To be called at the begin of each full run.

    Of somebody else, who has signed out in this browser, the session keeps nothing.
    """
    before: Identity = st.session_state.get(_DRAWN_FOR, identity)
    if before.agent_id != identity.agent_id:
        st.session_state.clear()
    st.session_state[_DRAWN_FOR] = identity


def follow_viewer() -> None:
    """Run the whole page again once the viewer may see or do something else than what is drawn.

    For a fragment that runs by itself.
    """
    try:
        identity = viewer_of_run()
    except DatabaseUnavailable:
        return
    if identity != st.session_state.get(_DRAWN_FOR, identity):
        st.rerun()


def _require(role: Role, site: Site | None) -> None:
    identity = viewer()
    if not identity.may(role):
        raise NotAllowed(MAY_NOT[role])
    if site is not None and not identity.sees(site.id):
        raise NotAllowed(NOT_YOURS)
