"""The time zone of whoever looks at the page."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import streamlit as st


def own_time_zone() -> str:
    """The one that the browser sends; UTC when it sends none, or one that is not known."""
    return st.context.timezone if st.context.timezone in time_zones() else "UTC"


@cache
def time_zones() -> list[str]:
    """Every time zone, by name."""
    return sorted(available_timezones())
