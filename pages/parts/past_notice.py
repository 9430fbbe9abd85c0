"""What every page says that shows a past moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.moment import utc_now
from pages.parts.past_moment import choose_moment, next_second
from pages.parts.texts import day_and_time_of, day_of, notice, time_of

TITLE = "This is the past."
NOTHING_KNOWN = "Nothing is known of this moment."

_MARGIN = timedelta(minutes=1)
"""What is kept goes by while somebody looks at its begin."""


def past_notice(moment: datetime, time_zone: str) -> str:
    """The line, as HTML, that says which moment is shown instead of now."""
    local = moment.astimezone(ZoneInfo(time_zone))
    # A time zone's name needs no escaping: it has only letters, digits and / _ - +.
    return (
        f'<p class="notice warn past" role="status"><strong>{TITLE}</strong> You see '
        f"<strong>{local:%a} {day_of(local)}, {time_of(moment, time_zone)}</strong> ({time_zone}), as it was then. "
        "Nothing here is live.</p>"
    )


def draw_not_known(since: datetime | None, time_zone: str) -> None:
    """Say that what was at the moment is not stored, and offer the first one that is; since: None: none is."""
    if since is None:
        notice("No visit is stored yet.", title=NOTHING_KNOWN)
        st.button(
            "Back to live", on_click=lambda: choose_moment(None, time_zone), key="back to live"
        )
        return
    first = min(next_second(since) + _MARGIN, utc_now() - timedelta(seconds=1))
    notice(
        "Visits of this moment are not stored: they are deleted when the time is over for which they are kept, or none "
        f"was recorded. All that was is known since {day_and_time_of(since, time_zone)} ({time_zone}).",
        title=NOTHING_KNOWN,
    )
    st.button(
        f"Go to {day_and_time_of(first, time_zone)}",
        on_click=lambda: choose_moment(first, time_zone),
        key="go to what is known",
    )
