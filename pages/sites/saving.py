"""Changing a site from the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Unpack

import streamlit as st

from core.accounts.identity import Role
from core.chat.templates import ChatSettingsError
from core.database import Connection
from core.mail.server import MailServerError
from core.notices.kinds import NoticeError
from core.sites import SiteChanges, SiteError, change_site
from core.tables import Site
from pages.parts.notices import refusal_title
from pages.parts.snapshots import clear_sites
from pages.parts.texts import notice
from pages.parts.viewer import REFUSALS, write_as

_SAVED = "site saved"


def save(site: Site, **changes: Unpack[SiteChanges]) -> None:
    """Change the site and run the page again, or say why it cannot be changed."""
    try:
        write_as(Role.ADMIN, lambda db: change_site(db, site.key, **changes), site)
    except (SiteError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not saved."), kind="bad")
        return
    clear_sites()
    keep_saved("The site is changed, in force within 5 seconds.")
    st.rerun()


def apply(
    role: Role,
    change: Callable[[Connection], Any],
    site: Site,
    text: str,
    *,
    place: str,
    forget: str = "",
) -> None:
    """Make the change of the site, which takes this role, and run the page again with `text` at its place; or say why it is refused.

    What the session keeps under names that begin with `forget`, such as a form's fields, is deleted.
    """
    try:
        write_as(role, change, site)
    except (ChatSettingsError, MailServerError, NoticeError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not saved."), kind="bad")
        return
    for name in [name for name in st.session_state if forget and str(name).startswith(forget)]:
        del st.session_state[name]
    keep_saved(text, place)
    st.rerun()


def draw_stored_toggle(label: str, value: bool, key: str, help: str | None = None) -> bool | None:
    """What the owner has just switched it to; None otherwise.

    It shows what is stored: a switch that could not be saved must not be saved by a later run.
    """
    wanted = f"{key} wanted"

    def keep() -> None:
        st.session_state[wanted] = st.session_state[key]

    st.session_state[key] = value
    st.toggle(label, key=key, help=help, on_change=keep)
    return st.session_state.pop(wanted, None)


def keep_saved(text: str, place: str = "") -> None:
    """Keep the text for the next run of the page, which shows it at the place of this name."""
    st.session_state[_SAVED] = (place, text)


def draw_saved(place: str = "") -> None:
    """Draw what was saved here just before this run, if anything was."""
    if st.session_state.get(_SAVED, ("", ""))[0] == place and _SAVED in st.session_state:
        notice(st.session_state.pop(_SAVED)[1], title="Saved.", kind="good")


def lines_of(text: str) -> list[str]:
    """The words between commas, blanks and line ends."""
    return [part for part in re.split(r"[\s,]+", text) if part]
