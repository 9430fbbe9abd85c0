"""Visits by weekday and hour."""

from __future__ import annotations

import altair as alt

HEIGHT = 220


def chart() -> alt.Chart:
    """A cell for each hour of the week; needs the columns weekday_label, hour and visits."""
    return (
        alt.Chart()
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X("hour:O", title=None, axis=alt.Axis(labelAngle=0, domain=False, ticks=False)),
            y=alt.Y("weekday_label:O", sort=None, title=None),
            color=alt.Color("visits:Q", legend=None, scale=alt.Scale(domainMin=0)),
            tooltip=[
                alt.Tooltip("weekday_label:N", title="Day"),
                alt.Tooltip("hour:O", title="Hour"),
                alt.Tooltip("visits:Q", title="Visits", format=","),
            ],
        )
        .properties(height=HEIGHT)
    )
