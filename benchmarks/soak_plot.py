"""The plot of a soak: `python benchmarks/soak_plot.py SAMPLES.csv docs/soak.svg`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import altair as alt
import click
import pandas as pd
import vl_convert

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.soak_samples import SoakSample, read_csv

WIDTH, HEIGHT = 360, 120
BLUE, ORANGE = "#2f81f7", "#d9730d"
PANELS = (
    ("Memory, MB", {"collector_memory": "collector", "dashboard_memory": "dashboard"}, 1e6),
    (
        "Open files and sockets",
        {"collector_handles": "collector", "dashboard_handles": "dashboard"},
        1,
    ),
    ("SQLite's log, MB", {"wal": "log"}, 1e6),
    ("The database, MB", {"database": "file", "used": "in use"}, 1e6),
    ("Answers, ms", {"p50": "median", "p99": "99 of 100 within"}, 1),
    ("Page views", {"acknowledged": "acknowledged so far", "views": "in the database"}, 1),
)
"""The title, the lines as the sample's value and its name, and what one unit is."""

_THEMES = (
    "<style>text{fill:#1f2328}.mark-rule line{stroke:#8c959f}"
    "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.mark-rule line{stroke:#6e7681}}</style>"
)
"""In the file itself: a page that shows it as an image cannot style it."""


def plot(samples: Sequence[SoakSample], file: Path) -> None:
    """Draw the samples as panels over the minutes, in an SVG that is readable in light and dark."""
    frame = pd.DataFrame(samples)
    frame["minute"] = frame["seconds"] / 60
    panels = [_panel(frame, *panel) for panel in PANELS]
    rows = [_row(panels[at : at + 2]) for at in range(0, len(panels), 2)]
    chart = (
        alt.vconcat(*rows, spacing=24)
        .resolve_scale(color="independent")
        .configure(background="transparent", font="sans-serif")
        .configure_view(stroke=None)
        .configure_axis(gridColor="#8c959f", gridOpacity=0.3, domain=False, tickColor="#8c959f")
    )
    svg = vl_convert.vegalite_to_svg(chart.to_json())
    head, end, rest = svg.partition(">")
    file.write_text(f"{head}{end}{_THEMES}{rest}\n", "utf-8")


def _row(panels: Sequence[alt.Chart]) -> alt.HConcatChart:
    return alt.hconcat(*panels, spacing=40).resolve_scale(color="independent")


def _panel(frame: pd.DataFrame, title: str, names: dict[str, str], unit: float) -> alt.Chart:
    long = frame[["minute", *names]].rename(columns=names).melt("minute", var_name="line")
    long["value"] /= unit
    legend = alt.Legend(orient="none", direction="horizontal", legendX=150, legendY=-22)
    colours = alt.Scale(domain=list(names.values()), range=[BLUE, ORANGE][: len(names)])
    return (
        alt.Chart(long, title=alt.Title(title, anchor="start"), width=WIDTH, height=HEIGHT)
        .mark_line(strokeWidth=1.5)
        .encode(
            alt.X("minute", title="minutes", axis=alt.Axis(tickCount=6)),
            alt.Y("value", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4)),
            alt.Color("line", title=None, scale=colours, legend=legend if len(names) > 1 else None),
        )
    )


@click.command()
@click.argument("samples", type=click.Path(exists=True, path_type=Path))
@click.argument("svg", type=click.Path(path_type=Path))
def main(samples: Path, svg: Path) -> None:
    """Draw a soak's samples again."""
    plot(read_csv(samples), svg)


if __name__ == "__main__":
    main()
