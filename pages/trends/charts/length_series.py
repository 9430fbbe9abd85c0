"""A length of time by hour, day or week, with the period before behind it."""

from __future__ import annotations

import altair as alt

from pages.trends.charts.series import HEIGHT, bars_and_line

_PADDED = "(length(format({part}, 'd')) < 2 ? '0' : '') + format({part}, 'd')"


def chart() -> alt.LayerChart:
    """As the series of a number; needs the columns label, now and before, both seconds."""
    axis = alt.Axis(title=None, labelExpr=_label("datum.value"), tickMinStep=1)
    lengths = [
        alt.Tooltip("now_label:N", title="This period"),
        alt.Tooltip("before_label:N", title="Period before"),
    ]
    known = {
        f"{name}_label": f"isValid(datum.{name}) ? {_label(f'datum.{name}')} : '–'"
        for name in ("now", "before")
    }
    return (
        bars_and_line(axis, lengths, has_gaps=True)
        .transform_calculate(**known)
        .properties(height=HEIGHT)
    )


def _label(seconds: str) -> str:
    """The length in words as `core.visits.labels.duration_label` says them, in Vega's language."""
    minutes, hours = f"floor({seconds} / 60)", f"floor({seconds} / 3600)"
    rest, past = f"floor({seconds} % 60)", f"floor({minutes} % 60)"
    return (
        f"{seconds} < 60 ? format({rest}, 'd') + 's' : "
        f"{seconds} < 3600 ? format({minutes}, 'd') + 'm ' + {_PADDED.format(part=rest)} + 's' : "
        f"format({hours}, 'd') + 'h ' + {_PADDED.format(part=past)} + 'm'"
    )
