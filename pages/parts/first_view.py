"""Waiting for a site's first page view: it says when one is there, and what may be wrong if none comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlsplit

import streamlit as st

from core.accounts.identity import Role
from core.database import Connection
from core.moment import utc_now
from core.reasons import Reason
from core.settings import settings
from core.tables import Site
from core.visits.arrivals import NO_SITE, SeenPage, drops, last_page_view
from pages.parts.collector_notice import latest_silence
from pages.parts.drop_reasons import reason_text
from pages.parts.notices import unanswered_title
from pages.parts.snippet import own_script_address
from pages.parts.texts import notice
from pages.parts.viewer import REFUSALS, read_as

LOOK_EVERY = 2
"""Seconds between two looks."""

PATIENCE = timedelta(seconds=60)
"""After so long without a page view it says what may be wrong."""

SHARED = (Reason.UNKNOWN_SITE, Reason.MALFORMED)
"""What the collector counts of messages that name no site: of any website, so perhaps of this one."""


@dataclass(frozen=True)
class Noted:
    """What the collector has noted of a site: its newest page view, and drops by reason; `shared`: of
    messages that name no site."""

    newest: SeenPage | None
    dropped: dict[str, int]
    shared: dict[str, int]


@dataclass(frozen=True)
class Beginning:
    """When the page began to wait, and what was noted before."""

    at: datetime
    noted: Noted


def watch_first_view(site: Site) -> None:
    """Draw the line, and look again every LOOK_EVERY seconds."""
    st.fragment(draw_first_view, run_every=LOOK_EVERY)(site)


def draw_first_view(site: Site) -> None:
    """Draw the line as it is now."""
    now = utc_now()
    try:
        noted = read_as(Role.ADMIN, lambda db: _noted(db, site, now), site)
    except REFUSALS as error:
        notice(str(error), title=unanswered_title(error), kind="bad")
        return
    begun = _beginning(site, Beginning(now, noted))
    if noted.newest is not None and noted.newest != begun.noted.newest:
        notice(noted.newest.path, title="We see you:", kind="good")
        return
    notice("Open a page that has the line.", title="Waiting for the first page view …")
    causes = _causes(begun, noted, now)
    if causes:
        _draw_causes(causes)


def _beginning(site: Site, now: Beginning) -> Beginning:
    """One for each session and site: a page that is drawn anew goes on with its minute."""
    place = f"first view of {site.identity}"
    return st.session_state.setdefault(place, now)


def _noted(db: Connection, site: Site, now: datetime) -> Noted:
    assert site.id is not None
    shared = drops(db, NO_SITE, now)
    own = drops(db, site.id, now)
    return Noted(
        last_page_view(db, site.id, now),
        {reason: each.hits for reason, each in own.items()},
        {reason: shared[reason].hits for reason in SHARED if reason in shared},
    )


def _causes(begun: Beginning, noted: Noted, now: datetime) -> Sequence[str]:
    """What may be wrong: what was refused of the site at once, all else after a while."""
    if latest_silence(now) is not None:
        return ["The collector does not answer: nothing is recorded before it is started."]
    refused = _refused(begun.noted.dropped, noted.dropped)
    if now - begun.at < PATIENCE:
        return refused
    return [*refused, *_refused(begun.noted.shared, noted.shared), *_usual_causes()]


def _refused(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return [reason_text(reason) for reason, hits in after.items() if hits > before.get(reason, 0)]


def _usual_causes() -> Sequence[str]:
    """When nothing at all has come."""
    host = urlsplit(settings().public_address).hostname or ""
    far = (
        f"The line names {host}, which only this computer can reach. For a website on the internet, set "
        "MONITOR_PUBLIC_URL to the collector's public address, restart, and copy the line again."
    )
    near = f"The collector's address must be open to visitors: open {own_script_address()} to see."
    return (
        "The page does not have the line yet: is it published, and in the template of every page?",
        "The page was open before: reload it. A cache in between may still serve the old one.",
        "An ad blocker, Do Not Track or an automated browser: open the page in an ordinary window.",
        "The page's Content-Security-Policy does not allow the script: add the collector's address to "
        "script-src and connect-src.",
        far if host in ("127.0.0.1", "localhost", "::1") else near,
    )


def _draw_causes(causes: Sequence[str]) -> None:
    items = "".join(f"<li>{escape(cause)}</li>" for cause in causes)
    title = "Nothing has come that could be recorded. It may be this:"
    st.html(
        f'<div class="notice warn" role="status"><strong>{title}</strong><ul>{items}</ul></div>'
    )
