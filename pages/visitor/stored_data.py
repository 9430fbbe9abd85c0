"""What is stored of a visitor: its download, and its deletion once it was asked for twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.accounts.identity import Role
from core.database import Connection
from core.file_rewrite import rewrites_itself
from core.moment import utc_now
from core.tables import Backup, Site, Visit
from core.visitor_data import (
    AT_ONCE,
    StoredCounts,
    copies_since,
    count_stored,
    export_visits,
    forget_visits_of,
    visits_of_person,
)
from core.visits.labels import visitor_label, visitor_name
from pages.parts.notices import draw_unanswered, refusal_title
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about
from pages.parts.texts import day_and_time_of, heading, notice, plural, small_text
from pages.parts.title import draw_title
from pages.parts.viewer import REFUSALS, for_viewer, may, read_as, write_as

_ASKING = "asking before it forgets"
"""The dialog; it is about the key of the site and the id of the visit."""

_FORGOTTEN = "forgotten visitor"
FORGOTTEN = "This visitor is forgotten"
STAYS = "The numbers of all visitors stay. If they are on the website now, their next page begins a new visit."
COPIES = "These copies of the database still hold it, until whoever runs the server deletes them:"
GONE_COPIES = "These were made too, and are not where they were written any more:"
NO_COPY = "Visitor Monitor has made no copy of the database that holds it."
OWN_COPIES = "Copies that are made by other means are not known here."


@dataclass(frozen=True)
class StoredData:
    """How much is stored of a visitor, and what still holds it once it is deleted.

    copies: those of the database that were made since. is_wiped: the file is, too, within a minute.
    """

    counts: StoredCounts
    copies: Sequence[Backup]
    is_wiped: bool


def draw_stored_data(site: Site, visit_id: str) -> None:
    """Draw the buttons that the viewer's role has, and once it was pressed the dialog that asks."""
    if not may(Role.AGENT):
        return
    with st.container(horizontal=True, key="stored_data"):
        st.download_button(
            "Export data",
            data=for_viewer(lambda: _export(site, visit_id)),
            file_name=f"visitor-{site.key}-{visit_id}.json",
            mime="application/json",
            icon=":material/download:",
            help="All that is stored of this visitor, for them to read; its times are in UTC.",
            on_click="ignore",
            key="export visitor",
        )
        if may(Role.ADMIN):
            st.button(
                "Forget this visitor",
                icon=":material/delete:",
                key="forget visitor",
                on_click=open_dialog,
                args=(_ASKING, (site.key, visit_id)),
            )
    if open_dialog_about(_ASKING) == (site.key, visit_id):
        _draw_question(site, visit_id)


def draw_forgotten(site: Site, visit_id: str) -> bool:
    """Draw that this visitor was forgotten here a moment ago; whether they were."""
    forgotten_key, stored = st.session_state.get(_FORGOTTEN, (None, None))
    if forgotten_key != (site.key, visit_id) or stored is None:
        return False
    draw_title(FORGOTTEN)
    heading(FORGOTTEN, above=site.name)
    notice(f"{_amount(stored.counts)}.", title="Deleted:", kind="good")
    small_text(STAYS)
    small_text(_file_text(stored))
    _draw_copies(stored.copies, site)
    return True


def _leave() -> None:
    close_dialog(_ASKING)


@st.dialog("Forget this visitor", width="medium", on_dismiss=_leave)
def _draw_question(site: Site, visit_id: str) -> None:
    try:
        visits, stored = read_as(Role.ADMIN, lambda db: _read(db, site, visit_id), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if not visits:
        small_text("Nothing is stored of this visitor any more.")
        return
    names = {
        visitor_label(visitor_name(visit.attributes), visit.browser, visit.country): None
        for visit in visits
    }
    notice(
        f"{_amount(stored.counts)} will be deleted. Nothing brings them back.",
        title=f"{', '.join(names)}:",
        kind="warn",
    )
    first = day_and_time_of(visits[0].started_at, site.time_zone)
    small_text(
        f"That is every visit of this browser since {first}, also of others who use it. {STAYS}"
    )
    _draw_copies(stored.copies, site)
    if st.button("Forget for good", type="primary", key="forget for good"):
        _forget(site, visit_id, [visit.id for visit in visits], stored)


def _forget(site: Site, visit_id: str, ids: Sequence[str], stored: StoredData) -> None:
    site_id = site.id or 0
    try:
        for at in range(0, len(ids), AT_ONCE):
            some = ids[at : at + AT_ONCE]
            write_as(
                Role.ADMIN,
                lambda db, some=some: forget_visits_of(db, site_id, some, utc_now()),
                site,
            )
    except REFUSALS as error:
        notice(str(error), title=refusal_title(error, "Not all is deleted."), kind="bad")
        return
    st.session_state[_FORGOTTEN] = ((site.key, visit_id), stored)
    _leave()
    st.rerun()


def _read(db: Connection, site: Site, visit_id: str) -> tuple[Sequence[Visit], StoredData]:
    site_id = site.id or 0
    visits = visits_of_person(db, site_id, [visit_id])
    counts = count_stored(db, site_id, [visit.id for visit in visits])
    copies = copies_since(db, visits[0].started_at) if visits else []
    return visits, StoredData(counts, copies, rewrites_itself(db))


def _export(site: Site, visit_id: str) -> str:
    def load(db: Connection) -> str:
        visits = visits_of_person(db, site.id or 0, [visit_id])
        exported = export_visits(db, site, [visit.id for visit in visits], utc_now())
        return json.dumps(exported, ensure_ascii=False, indent=2)

    return read_as(Role.AGENT, load, site)


def _amount(counts: StoredCounts) -> str:
    chats = f"{plural(counts.conversations, 'chat')} with {plural(counts.messages, 'message')}"
    visits = f"{plural(counts.visits, 'visit')} with {plural(counts.page_views, 'page view')}"
    return f"{visits} and {chats}" if counts.conversations else visits


def _file_text(stored: StoredData) -> str:
    if stored.is_wiped:
        return "Within a minute nothing of it is in the database's file either."
    return (
        "Traces may stay in unused parts of the database's files until whoever runs the server wipes them: "
        "how is in docs/privacy.md."
    )


def _draw_copies(copies: Sequence[Backup], site: Site) -> None:
    there = [copy for copy in copies if Path(copy.file).exists()]
    gone = [copy for copy in copies if copy not in there]
    for title, some in ((COPIES, there), (GONE_COPIES, gone)):
        lines = [f"{day_and_time_of(copy.made_at, site.time_zone)}: {copy.file}" for copy in some]
        for line in [title, *lines] if lines else []:
            small_text(line)
    small_text(OWN_COPIES if copies else f"{NO_COPY} {OWN_COPIES}")
