"""Online over time: the visitors of a day by minute, the day before behind them, and when somebody chatted."""

from __future__ import annotations

from typing import Any

import altair as alt

from core.visits.presence import Status
from pages.parts.charts import MUTED
from pages.parts.colours import STATUS_COLOURS

HEIGHT = 40
CHOSEN = "minute"
"""The parameter that holds the minute which was chosen by a click."""

CHAT_COLOUR = STATUS_COLOURS[Status.CHATTING.value].back


def chart() -> alt.LayerChart:
    """Needs the columns minute (of the day, from 0), clock, online, before (the day before), chatting, and peak ("" but at
    the minute with the most)."""
    base = alt.Chart().encode(x=alt.X("place:Q", axis=None, scale=_whole()))
    known = base.transform_filter("isValid(datum.online)")
    online = known.encode(y=_level("online_level"))
    before = base.transform_filter("isValid(datum.before)").encode(y=_level("before_level"))
    chats = known.transform_filter("datum.chatting > 0").encode(y=alt.value(HEIGHT - 3))
    chosen = alt.selection_point(
        name=CHOSEN, fields=["minute"], encodings=["x"], nearest=True, on="click", toggle=False
    )
    # Unseen points, so that the tooltip shows and a click counts anywhere over a minute.
    touch = known.mark_point(opacity=0).encode(
        tooltip=[
            alt.Tooltip("clock:N", title="Time"),
            alt.Tooltip("online:Q", title="Online", format=","),
            alt.Tooltip("before:Q", title="The day before", format=","),
            alt.Tooltip("chatting:Q", title="Chatting", format=","),
        ]
    )
    layers = [
        before.mark_area(color=MUTED, opacity=0.3),
        online.mark_area(opacity=0.15),
        online.mark_line(strokeWidth=1.5),
        chats.mark_tick(color=CHAT_COLOUR, thickness=2, size=6),
        online.transform_filter("datum.peak != ''").mark_point(filled=True, size=45, opacity=1),
        touch.add_params(chosen),
    ]
    return (
        alt.LayerChart(layer=layers)
        .transform_joinaggregate(last="max(minute)", most="max(online)", most_before="max(before)")
        .transform_calculate(
            place="datum.minute / max(datum.last, 1)",
            top="max(datum.most || 0, datum.most_before || 0, 1)",  # of a first day none is known before
        )
        .transform_calculate(
            online_level="datum.online / datum.top", before_level="datum.before / datum.top"
        )
        .properties(height=HEIGHT, padding={"left": 0, "right": 0, "top": 6, "bottom": 0})
    )


def _level(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=None, scale=_whole(), stack=None)


def _whole() -> Any:
    """A fixed domain: Vega warns of an infinite one until the first frame arrives."""
    return alt.Scale(domain=[0, 1], nice=False)
