"""Health: whether the installation is well, what is wrong with it, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.deadline import DatabaseUnavailable, replica_state
from core.health.reading import read_health
from core.health.report import HealthReport
from core.health.storage import measure_storage
from core.health.warning import HealthWarning
from core.health.warnings import find_warnings, storage_warnings
from core.moment import utc_now
from core.settings import settings
from pages.health.facts import draw_report, draw_storage
from pages.parts.collector_notice import latest_signs
from pages.parts.notices import draw_fault
from pages.parts.texts import heading, notice, plural, small_text, subheading, time_of
from pages.parts.time_zone import own_time_zone
from pages.parts.title import draw_title
from pages.parts.viewer import NotAllowed, read_for_all_sites

REFRESH = 5
"""Seconds between two looks."""

_LAST = "last health report"


def draw_page() -> None:
    """Draw the state, which is looked at again every REFRESH seconds."""
    draw_title("Health")
    heading("Health")
    st.fragment(_draw, run_every=REFRESH)()


def _draw() -> None:
    now = utc_now()
    signs = latest_signs(now)
    try:
        replica = replica_state()
        report = read_for_all_sites(lambda db: read_health(db, settings(), signs, now, replica))
    except NotAllowed as error:
        notice(str(error), kind="bad")
        return
    except DatabaseUnavailable as error:
        _draw_without_database(str(error))
        return
    st.session_state[_LAST] = report
    zone = own_time_zone()
    _draw_warnings(find_warnings(report), report.at, zone)
    draw_report(report, zone)
    small_text(f"Times are in {zone}. This page looks again every {REFRESH} seconds.")


def _draw_warnings(warnings: Sequence[HealthWarning], at: datetime, zone: str) -> None:
    if not warnings:
        notice(f"Looked at {time_of(at, zone)}.", title="All is well.", kind="good")
        return
    subheading(f"{plural(len(warnings), 'thing')} to see to")
    _draw_each(warnings)


def _draw_each(warnings: Sequence[HealthWarning]) -> None:
    for warning in warnings:
        notice(warning.cure, title=warning.text, kind=warning.severity)


def _draw_without_database(fault: str) -> None:
    """What needs no database, which may be why it does not answer; and what was read last."""
    zone = own_time_zone()
    last: HealthReport | None = st.session_state.get(_LAST)
    draw_fault(fault, since=time_of(last.at, zone) if last else "")
    storage = measure_storage(settings().database_url)
    _draw_each(storage_warnings(storage))
    if last is None:
        draw_storage(storage)
    else:
        draw_report(last, zone)


draw_page()
