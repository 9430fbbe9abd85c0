"""Playing the past: from a moment on, as quickly as it went or ten times as quickly.

The page's address keeps the moment from which it began; the one at which it ends is a step of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

import streamlit as st

from pages.parts.address import address
from pages.parts.past_moment import AT

SPEEDS = (1, 10)
"""How much quicker than it went."""

STEP = timedelta(seconds=2)
"""Between two pictures: as often as the quickest refresh of the live page."""

_KEPT = "playing"


@dataclass(frozen=True)
class Playing:
    """From which moment on, how quickly, since when by the monotonic clock, and from which `at` of the address."""

    since: datetime
    speed: int
    began: float
    at: str
    shown: datetime


def playing() -> Playing | None:
    """What is being played; None once the address has another moment than it began with."""
    kept: Playing | None = st.session_state.get(_KEPT)
    return kept if kept and kept.at == address().get(AT, "") else None


def play(moment: datetime, speed: int) -> None:
    """Play from the moment on, which the address names or which is being played."""
    st.session_state[_KEPT] = Playing(
        moment, speed, monotonic(), address().get(AT, ""), shown=moment
    )


def stop() -> None:
    """Play no more."""
    st.session_state.pop(_KEPT, None)


def played_moment(of: Playing) -> datetime:
    """The whole second that is to be shown now; `playing().shown` from then on."""
    passed = timedelta(seconds=(monotonic() - of.began) * of.speed)
    moment = (of.since + passed).replace(microsecond=0)
    st.session_state[_KEPT] = replace(of, shown=moment)
    return moment
