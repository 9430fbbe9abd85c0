"""The head of the page: the day by minute, and where in it the page is; a past moment is chosen here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.moment import to_milliseconds, utc_now
from core.tables import Site
from core.visits.calendar import Period, day_period, local_day
from pages.live.online import CHOSEN, chart
from pages.live.online_day import LABELS, MINUTE, OnlineDay, online_day
from pages.live.playing import SPEEDS, play, playing, stop
from pages.parts.charts import Selection, draw_chart
from pages.parts.past_moment import choose_moment, moment_of
from pages.parts.past_pictures import event_after, event_before, past_known_since
from pages.parts.ready_data import ready_data
from pages.parts.script import component
from pages.parts.texts import day_of
from pages.parts.viewer import REFUSALS

TITLE = "Online over time"
TOLD = "Visitors who were online, minute by minute of the day, over those of the day before"
"""The same each minute: for another text the browser builds the chart anew, and a click meanwhile is lost."""

NOTHING_BEFORE = "No earlier visit or chat is known."
STILL_TO_COME = "This moment is still to come: the page is live."
NOTHING_AFTER = "No visit and no chat has begun since then."

_FOLDER = Path(__file__).with_name("client")
_SAID = "what was said of the last press"
_CLICKS = "clicks into a past day"


@dataclass(frozen=True)
class Timeline:
    """Where the page is. moment: the past one; None: it is live. known_since: from when on the past is known."""

    site: Site
    sites: Sequence[Site]
    moment: datetime | None
    known_since: datetime

    @property
    def shown(self) -> datetime:
        """The moment, or now."""
        return self.moment or utc_now()

    @property
    def period(self) -> Period:
        """The local day of it."""
        zone = self.site.time_zone
        return day_period(local_day(zone, self.shown), zone)

    def choose(self, moment: datetime | None) -> None:
        """Go to the moment; to one that is still to come: be live."""
        stop()
        is_past = moment is not None and moment < utc_now()
        choose_moment(moment if is_past else None, self.site.time_zone)

    def local(self, moment: datetime) -> str:
        """As the browser's field for a date and a time has it."""
        local = moment.astimezone(ZoneInfo(self.site.time_zone))
        return local.replace(microsecond=0, tzinfo=None).isoformat()


def draw_timeline(site: Site, sites: Sequence[Site], moment: datetime | None) -> None:
    """Draw the controls, the chart and the slider of the moment's day; nothing while nothing is known of the past."""
    known_since = past_known_since(sites)
    if known_since is None:
        return
    timeline = Timeline(site, sites, moment, known_since)
    day = online_day(site, sites, local_day(site.time_zone, timeline.shown))
    with st.container(key="timeline", gap=None):
        _draw_controls(timeline, day)
        if day is not None:
            _draw_day(timeline, day)
        _draw_slider(timeline)


def _draw_controls(timeline: Timeline, day: OnlineDay | None) -> None:
    key = "rewind"
    is_past, now = timeline.moment is not None, utc_now()
    played = playing()

    def on_chosen_change() -> None:
        named = moment_of(str(_sent(key, "chosen")), timeline.site.time_zone)
        if named is None:
            return
        if named >= utc_now():
            st.session_state[_SAID] = STILL_TO_COME
        timeline.choose(named)

    def on_pressed_change() -> None:
        _press(timeline, str(_sent(key, "pressed")))

    _controls(
        key=key,
        data=ready_data(
            title=TITLE,
            note=_note(timeline, day),
            said=st.session_state.pop(_SAID, ""),
            is_past=is_past,
            local=timeline.local(timeline.shown),
            earliest=timeline.local(timeline.known_since),
            latest=timeline.local(
                day_period(
                    local_day(timeline.site.time_zone, now), timeline.site.time_zone
                ).until_at
            ),
            time_zone=timeline.site.time_zone,
            speeds=SPEEDS,
            speed=played.speed if is_past and played else 0,
        ),
        on_chosen_change=on_chosen_change,
        on_pressed_change=on_pressed_change,
    )


def _draw_day(timeline: Timeline, day: OnlineDay) -> None:
    def on_select(selection: Selection) -> None:
        points = selection.get(CHOSEN)
        minute = points[0].get(CHOSEN) if points else None
        if isinstance(minute, int | float):
            st.session_state[_CLICKS] = st.session_state.get(_CLICKS, 0) + 1
            timeline.choose(day.period.from_at + minute * MINUTE)

    # Of the past each minute can be chosen, also the one before.
    clicks = st.session_state.get(_CLICKS, 0)
    draw_chart(
        chart,
        day.ready,
        TOLD,
        title=TITLE,
        name="online-over-time",
        site_ids=day.site_ids,
        labels=LABELS,
        has_heading=False,
        number=0 if timeline.moment is None else 1 + clicks,
        on_select=on_select,
    )


def _draw_slider(timeline: Timeline) -> None:
    key = "day slider"
    period = timeline.period

    def on_slid_change() -> None:
        minute = _sent(key, "slid")
        if isinstance(minute, int | float):
            timeline.choose(period.from_at + int(minute) * MINUTE)

    _slider(
        key=key,
        data=ready_data(
            from_at=to_milliseconds(period.from_at),
            minutes=(period.until_at - period.from_at) // MINUTE,
            minute=(timeline.shown - period.from_at) // MINUTE,
            time_zone=timeline.site.time_zone,
        ),
        on_slid_change=on_slid_change,
    )


def _press(timeline: Timeline, pressed: str) -> None:
    steps: Mapping[str, tuple[Callable[..., datetime | None], str]] = {
        "previous": (event_before, NOTHING_BEFORE),
        "next": (event_after, NOTHING_AFTER),
    }
    played = playing()
    shown = played.shown if played else timeline.shown
    if pressed in steps:
        step, nothing = steps[pressed]
        try:
            found = step(timeline.site, timeline.sites, shown)
        except REFUSALS as error:
            st.session_state[_SAID] = str(error)
            return
        if found is None:
            st.session_state[_SAID] = nothing
        else:
            timeline.choose(found)
    elif pressed == "pause" and played:
        timeline.choose(played.shown)
    elif pressed == "live":
        timeline.choose(None)
    elif timeline.moment and pressed in {str(speed) for speed in SPEEDS}:
        play(shown, int(pressed))


def _note(timeline: Timeline, day: OnlineDay | None) -> str:
    """The peak of the day, in words; or that the day is missing."""
    if day is None:
        return "The visitors of this day could not be counted in time."
    if not day.peak:
        return ""
    local = day.period.from_at.astimezone(ZoneInfo(timeline.site.time_zone))
    when = f"on {local:%a} {day_of(local)}" if timeline.moment else "today"
    return f"Most {when}: {day.peak:,} at {day.peak_at}"


def _sent(key: str, name: str) -> Any:
    return st.session_state[key].get(name)


_controls = component("visitor_monitor_rewind", _FOLDER / "rewind.js", _FOLDER / "rewind.css")
_slider = component(
    "visitor_monitor_day_slider", _FOLDER / "day_slider.js", _FOLDER / "day_slider.css"
)
