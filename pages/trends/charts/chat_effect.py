"""Which share of visits purchased, by what became of a chat."""

from __future__ import annotations

import altair as alt

HEIGHT = 180


def chart() -> alt.LayerChart:
    """A bar for each group; needs the columns label, visits, purchased, share, level (the bar's length, 0 to 1)
    and told (what stands beside the bar)."""
    base = alt.Chart().encode(
        y=alt.Y("label:O", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        x=alt.X("level:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1.6])),
        tooltip=[
            alt.Tooltip("label:N", title="Visits"),
            alt.Tooltip("visits:Q", title="How many", format=","),
            alt.Tooltip("purchased:Q", title="Purchased", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    bars = base.mark_bar()
    told = base.mark_text(align="left", dx=6).encode(text="told:N")
    return alt.LayerChart(layer=[bars, told]).properties(height=HEIGHT)
