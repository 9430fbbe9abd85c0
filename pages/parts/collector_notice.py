"""On every page: since when no visitor is recorded, because no collector gives a heartbeat."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from threading import Lock
from time import monotonic

import streamlit as st

from core.accounts.identity import Role
from core.deadline import DatabaseUnavailable, database_url
from core.health.report import CollectorSigns
from core.heartbeat import Heartbeat, HeartbeatWatch, Silence, heartbeats
from core.moment import utc_now
from pages.parts.snapshots import latest_sites
from pages.parts.texts import day_and_time_of, notice
from pages.parts.time_zone import own_time_zone
from pages.parts.viewer import follow_viewer, may
from pages.server.shared import Shared

LOOK_EVERY = 4
"""Seconds between two looks of an open page. With what is shared at a look (SHARED_FOR) less than the six
seconds within which it says that the database is frozen, which is known by then (core/database_watch.py)."""

_AWAY = "database is away"

CURE = (
    "Start it where Visitor Monitor is installed: make run, or python -m collector for the collector "
    "alone. Its log says why it stopped. This line goes by itself."
)

CURE_OF_OTHERS = "An admin can start the collector. This line goes by itself."


class SharedWatch:
    """One watch for all viewers; however many there are, the database is read once for them."""

    def __init__(self) -> None:
        self._heartbeats: Shared[frozenset[Heartbeat]] = Shared(lambda db, now: heartbeats(db))
        self._watch = HeartbeatWatch()
        self._looking = Lock()

    def look(self, now: datetime) -> CollectorSigns:
        """What the heartbeats tell at `now`; nothing while the database is away, which is said elsewhere."""
        found, _, fault = self._heartbeats.latest(now, 0)
        with self._looking:
            if found is None or fault:
                self._watch.forget()
                return CollectorSigns()
            silence = self._watch.look(found, now, monotonic())
            return CollectorSigns(silence, self._watch.heard_late)


def draw_collector_notice() -> None:
    """Draw the notice, and look again every LOOK_EVERY seconds; an empty place while all is well.

    The same look has the whole page drawn anew when the viewer may see or do something else.
    """
    st.session_state[_AWAY] = bool(latest_sites(utc_now()).fault)
    with st.container(key="collector_notice"):
        st.fragment(_draw, run_every=LOOK_EVERY)()


def latest_silence(now: datetime) -> Silence | None:
    """The collectors' silence at `now`, or None."""
    return latest_signs(now).silence


def latest_signs(now: datetime) -> CollectorSigns:
    """What the heartbeats tell at `now`."""
    try:
        return _shared_watch(database_url()).look(now)
    except DatabaseUnavailable:
        return CollectorSigns()


def _draw() -> None:
    follow_viewer()
    was_away, is_away = st.session_state.get(_AWAY), bool(latest_sites(utc_now()).fault)
    st.session_state[_AWAY] = is_away
    if is_away and not was_away:
        st.rerun()  # the page says it itself, and when the database is back
    silence = latest_silence(utc_now())
    if silence is None:
        return
    cure = CURE if may(Role.ADMIN) else CURE_OF_OTHERS
    if not silence.has_recorded:
        notice(cure, title="No visitor is recorded: the collector has not begun to.", kind="bad")
    else:
        notice(cure, title=f"No visitor is recorded{_since(silence)}.", kind="bad")


def _since(silence: Silence) -> str:
    away = ": the collector does not answer"
    if silence.since is None:
        return away
    time_zone = own_time_zone()
    return f" since {day_and_time_of(silence.since, time_zone)} ({time_zone}){away}"


@cache
def _shared_watch(_url: str) -> SharedWatch:
    return SharedWatch()
