"""Notices for when the database does not answer."""

from __future__ import annotations

import streamlit as st

from core.deadline import OutcomeUnknown
from core.moment import utc_now
from pages.parts.snapshots import latest_sites
from pages.parts.texts import heading, notice

AWAY = "No answer from the database."

RETRY = 3
"""Seconds between two checks whether the database is back."""


def draw_fault(text: str, *, since: str = "") -> None:
    """Draw a banner with the cure; `since`: the time of the picture that is still shown."""
    kept = f"What you see is of {since}. " if since else ""
    notice(f"{kept}{text} This page tries again by itself.", title=AWAY, kind="bad")


def draw_unavailable(text: str, title: str = "Visitor Monitor") -> None:
    """Draw the whole page when nothing was ever read; it recovers by itself."""
    heading(title)
    draw_fault(text)
    st.fragment(_retry, run_every=RETRY)()


def refusal_title(error: Exception, title: str) -> str:
    """The title over the error's text: this one, unless nobody knows whether it was done."""
    return "Perhaps saved." if isinstance(error, OutcomeUnknown) else title


def _retry() -> None:
    if latest_sites(utc_now()).sites is not None:
        st.rerun()
