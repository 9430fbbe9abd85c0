"""Notices for what was not read or saved: the database does not answer, or the viewer may not."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core.deadline import OutcomeUnknown
from core.moment import utc_now
from pages.parts.snapshots import latest_sites
from pages.parts.texts import heading, notice
from pages.parts.title import PRODUCT, draw_title
from pages.parts.viewer import NotAllowed

AWAY = "No answer from the database."
NOT_FOR_YOU = "This is not for your account."

RETRY = timedelta(seconds=3)
"""The time between two checks whether the database is back."""


def draw_fault(text: str, *, since: str = "") -> None:
    """Draw a banner with the cure; `since`: the time of the picture that is still shown.

    The page runs again once the database answers.
    """
    kept = f"What you see is of {since}. " if since else ""
    notice(f"{kept}{text} This page tries again by itself.", title=AWAY, kind="bad")
    draw_retry()


def draw_unanswered(error: Exception, *, since: str = "") -> None:
    """Draw why what the viewer has asked for was not read: one of REFUSALS. `since` as in `draw_fault`."""
    if isinstance(error, NotAllowed):
        notice(str(error), title=unanswered_title(error), kind="bad")
    else:
        draw_fault(str(error), since=since)


def unanswered_title(error: Exception) -> str:
    """The title over the text of one of REFUSALS."""
    return NOT_FOR_YOU if isinstance(error, NotAllowed) else AWAY


def draw_unavailable(text: str, title: str = PRODUCT) -> None:
    """Draw the whole page when nothing is known that it could show."""
    draw_title("" if title == PRODUCT else title)
    heading(title)
    draw_fault(text)


def refusal_title(error: Exception, title: str) -> str:
    """The title over the error's text: this one, unless nobody knows whether it was done."""
    return "Perhaps saved." if isinstance(error, OutcomeUnknown) else title


def draw_retry() -> None:
    """Run the page again once the database answers. It shows nothing."""
    st.fragment(_retry, run_every=RETRY)(utc_now())


def _retry(failed_at: datetime) -> None:
    """Not in the run that has just failed: what still fails must not be tried in a circle."""
    now = utc_now()
    if now - failed_at >= RETRY / 2 and not latest_sites(now).fault:
        st.rerun()
