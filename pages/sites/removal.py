"""Deleting a site: asked for by its name, and how far the deleting has come."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.accounts.identity import Role
from core.moment import utc_now
from core.removal import Removal, remove_site
from core.sites import LONGEST_NAME, SiteError
from core.tables import Site
from pages.parts.notices import refusal_title
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about
from pages.parts.snapshots import TICK, clear_removals, clear_sites, latest_removals
from pages.parts.texts import notice, plural
from pages.parts.viewer import REFUSALS, write_as
from pages.sites.saving import keep_saved

CONSEQUENCE = (
    "it is gone from every page at once, with its visitors, chats, texts and rules, and its website is "
    "recorded no more. Nothing brings them back. To stop recording only, switch Visitor tracking off."
)
_ASKING = "asking before it deletes"
"""The dialog; it is about the key of the site."""

_SEEN = "removals seen"


def draw_remove_button(site: Site) -> None:
    """Draw the button, and once it was pressed the dialog that asks before it deletes."""
    st.button(
        "Delete this site",
        icon=":material/delete:",
        key=f"delete {site.key}",
        on_click=_ask,
        args=(site.key,),
    )
    if open_dialog_about(_ASKING) == site.key:
        _draw_question(site)


def draw_progress() -> None:
    """Draw a line for each site that is being deleted, and look again every TICK."""
    with st.container(key="removals", gap="small"):
        st.fragment(_draw_progress, run_every=TICK)()


def _ask(key: str) -> None:
    open_dialog(_ASKING, key)


def _leave() -> None:
    close_dialog(_ASKING)


@st.dialog("Delete this site", on_dismiss=_leave)
def _draw_question(site: Site) -> None:
    notice(CONSEQUENCE, title=f"{site.name}:", kind="warn")
    with st.form("delete site", border=False):
        typed = st.text_input(
            "Write the site's name to delete it",
            placeholder=site.name,
            max_chars=LONGEST_NAME,
            key=f"typed name of {site.key}",
        )
        is_sent = st.form_submit_button("Delete for good", type="primary")
    if is_sent:
        _remove(site, typed)


def _remove(site: Site, typed_name: str) -> None:
    try:
        write_as(Role.ADMIN, lambda db: remove_site(db, site.key, typed_name, utc_now()), site)
    except (SiteError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not deleted."), kind="bad")
        return
    clear_sites()
    clear_removals()
    _leave()
    st.session_state.pop("site", None)
    st.query_params.pop("site", None)
    keep_saved(f"{site.name} is deleted; no page shows it any more.")
    st.rerun()


def _draw_progress() -> None:
    left = {removal.site.identity: removal for removal in latest_removals(utc_now())}
    seen: dict[tuple[str, datetime], str] = st.session_state.setdefault(_SEEN, {})
    seen |= {identity: removal.site.name for identity, removal in left.items()}
    for identity, name in seen.items():
        _draw_line(name, left.get(identity))


def _draw_line(name: str, removal: Removal | None) -> None:
    if removal is None:
        notice("All its data are gone.", title=f"{name} is deleted.", kind="good")
    else:
        notice(f"{plural(removal.visits_left, 'visit')} left.", title=f"Deleting {name}:")
