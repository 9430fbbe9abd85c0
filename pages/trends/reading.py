"""What the page asks for: with its progress, and kept for as long as the session asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.identity import Role
from core.database import Connection
from core.deadline import DatabaseUnavailable
from core.moment import utc_now
from core.tables import Site
from core.trends import TellShare
from pages.parts.long_read import read_with_progress
from pages.parts.notices import draw_fault
from pages.parts.texts import clock_of
from pages.parts.viewer import NotAllowed

Answer = TypeVar("Answer")

KEPT_FOR = timedelta(minutes=1)
"""How old an answer may be that is shown again, as when a chart's data is opened."""


@dataclass(frozen=True)
class _Kept(Generic[Answer]):
    key: Hashable
    answer: Answer
    read_at: datetime


def read_or_kept(
    place: str,
    key: Hashable,
    question: Callable[[Connection, TellShare], Answer],
    site: Site,
    slot: DeltaGenerator,
) -> Answer | None:
    """The answer, which draws in the slot how far it is; None where there is none, and why stands in the slot.

    A place keeps the newest answer, to one key. While the database does not answer, it is shown under a banner.
    """
    kept: _Kept[Answer] | None = st.session_state.get(place)
    now = utc_now()
    if kept is not None and kept.key != key:
        kept = None
    if kept is not None and now - kept.read_at < KEPT_FOR:
        return kept.answer
    try:
        answer = read_with_progress(
            Role.VIEWER, question, site, lambda share: _draw_progress(slot, share)
        )
    except NotAllowed:
        st.rerun()  # changed since this run began: the whole page says so
    except DatabaseUnavailable as error:
        with slot.container():
            draw_fault(str(error), since=clock_of(kept.read_at, site.time_zone) if kept else "")
        return kept.answer if kept else None
    slot.empty()
    st.session_state[place] = _Kept(key, answer, now)
    return answer


def _draw_progress(slot: DeltaGenerator, share: float) -> None:
    slot.progress(share, f"Counting visits: {share:.0%}. What you see below is from before.")
