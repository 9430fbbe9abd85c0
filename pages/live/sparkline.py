"""Last 7 Days: visits started on each day, today marked."""

from __future__ import annotations

import altair as alt

HEIGHT = 32


def chart() -> alt.LayerChart:
    """A line with one point for each day; needs the columns label, visits, level and is_today.

    The domain is fixed: Vega warns of an infinite one until the first frame arrives."""
    base = alt.Chart().encode(
        x=alt.X(
            "label:O",
            sort=alt.EncodingSortField(
                "date", op="min"
            ),  # that of the rows is lost when they change
            axis=None,
            scale=alt.Scale(padding=0.2),
        ),
        y=alt.Y("level:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False), stack=None),
        tooltip=[
            alt.Tooltip("label:N", title="Day"),
            alt.Tooltip("visits:Q", title="Visits", format=","),
        ],
    )
    today = alt.datum.is_today
    area = base.mark_area(opacity=0.12, interpolate="monotone")
    line = base.mark_line(strokeWidth=2, interpolate="monotone")
    points = base.mark_point(filled=True, opacity=1).encode(
        size=alt.condition(today, alt.value(130), alt.value(40)),
    )
    # Wide invisible columns, so that the tooltip shows anywhere over the day.
    touch = base.mark_bar(opacity=0, width=alt.RelativeBandSize(1)).encode(y=alt.value(0))
    return alt.LayerChart(layer=[area, line, points, touch]).properties(
        height=HEIGHT, padding={"left": 2, "right": 2, "top": 6, "bottom": 0}
    )
