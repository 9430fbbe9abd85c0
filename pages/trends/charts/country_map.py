"""Visits by country, on a map that comes with the dashboard."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import altair as alt

from pages.parts.charts import MUTED

HEIGHT = 300
PRESSED = "pressed"
"""The name of the parameter that has the country that was pressed, by its `value`."""
SHAPES = alt.UrlData(
    url="app/static/countries.json",
    format=alt.TopoDataFormat(type="topojson", feature="countries"),
)
"""See docs/trends.md for where it is from."""


@cache
def countries() -> frozenset[str]:
    """Those that the map has (alpha-2): of the smallest it has none."""
    file = Path(__file__).parents[2] / "static" / "countries.json"
    shapes = json.loads(file.read_text(encoding="utf-8"))["objects"]["countries"]["geometries"]
    return frozenset(shape["id"] for shape in shapes if shape.get("id"))


def chart() -> alt.LayerChart:
    """Each country in the colour of its visits; needs the columns value (alpha-2), label and visits."""
    pressed = alt.selection_point(name=PRESSED, fields=["value"], toggle=False, clear=False)
    land = alt.Chart(SHAPES).mark_geoshape(fill=MUTED, fillOpacity=0.18, stroke=None)
    visits = (
        alt.Chart()
        .mark_geoshape(stroke=None, cursor="pointer", aria=True)  # a country has its name
        .add_params(pressed)
        .transform_lookup(lookup="value", from_=alt.LookupData(data=SHAPES, key="id"), as_="shape")
        .transform_filter("isValid(datum.shape)")
        .encode(
            shape=alt.Shape("shape", type="geojson"),
            color=alt.Color("visits:Q", legend=None, scale=alt.Scale(type="sqrt", domainMin=0)),
            tooltip=[
                alt.Tooltip("label:N", title="Country"),
                alt.Tooltip("visits:Q", title="Visits", format=","),
            ],
        )
    )
    return (
        alt.LayerChart(layer=[land, visits])
        .project(type="equalEarth")
        .properties(height=HEIGHT)
        .configure_view(stroke=None)
    )
