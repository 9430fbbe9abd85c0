"""How many visits came to each step of the funnel."""

from __future__ import annotations

import altair as alt

HEIGHT = 200


def chart() -> alt.LayerChart:
    """A bar for each step; needs the columns label, visits, share and told (what stands beside the bar)."""
    base = alt.Chart().encode(
        y=alt.Y("label:O", sort=None, title=None),
        x=alt.X("share:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1.35])),
        tooltip=[
            alt.Tooltip("label:N", title="Step"),
            alt.Tooltip("visits:Q", title="Visits", format=","),
            alt.Tooltip("share:Q", title="Of all visits", format=".1%"),
        ],
    )
    bars = base.mark_bar()
    told = base.mark_text(align="left", dx=6).encode(text="told:N")
    return alt.LayerChart(layer=[bars, told]).properties(height=HEIGHT)
