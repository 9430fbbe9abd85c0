"""The steps of docs/charts.md work."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from core.database import reading
from core.frames import Picture, picture_at
from core.sites import list_sites
from pages.live import columns, sparkline, visitors
from pages.parts.charts import _specification
from tests.helpers import page_reading as page_reading
from tests.helpers.seed import make_site, make_visits
from tests.pages.conftest import Database, OpenPage

GUIDE = (Path(__file__).parents[3] / "docs" / "charts.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The guide's pieces of code of this kind."""
    return [dedent(code) for code in re.findall(rf" *```python {kind}\n(.*?)```", GUIDE, re.DOTALL)]


def chart_of(code: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(code, "docs/charts.md", "exec"), names)
    return names["chart"]


def test_guide_has_its_examples() -> None:
    assert (len(blocks("chart")), len(blocks("column"))) == (2, 1)


@pytest.mark.parametrize("chart", [*map(chart_of, blocks("chart")), sparkline.chart])
def test_chart_names_fields_that_the_frames_have(database: Database, chart: Any) -> None:
    specification = _specification(chart)
    known = {*picture_of(database).days.columns, *picture_of(database).visitors.columns}
    assert fields_of(specification) <= known
    assert "datasets" not in specification


def test_chart_of_the_guide_is_drawn(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_of(database)
    monkeypatch.setattr("pages.live.cards.chart", chart_of(blocks("chart")[0]))
    page = open_page()
    assert not page.exception
    assert '"bar"' in page.get("vega_lite_chart")[0].proto.spec


def test_column_of_the_guide_appears_in_the_table(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_of(database)
    column = eval(blocks("column")[0], dict(vars(columns)))
    monkeypatch.setattr(visitors, "VISITOR_COLUMNS", (*columns.VISITOR_COLUMNS, column))
    page = open_page()
    sent = page_reading.tables(page)["Active visitors"]
    assert sent["table"]["columns"][-1]["label"] == "Device"
    assert set(sent["rows"]["device"]) <= {"desktop", "phone", ""}


def picture_of(database: Database) -> Picture:
    now = datetime.now(UTC)
    with reading(database.engine) as db:
        sites = list_sites(db)
    if not sites:
        sites = [make_site(database.engine)]
        make_visits(database.engine, sites[0], 8, now=now)
    with reading(database.engine) as db:
        return picture_at(db, [sites[0]], now, now)


def fields_of(part: Any) -> set[str]:
    """The columns that a specification names."""
    if isinstance(part, dict):
        own = {part["field"]} if isinstance(part.get("field"), str) else set[str]()
        return own.union(*(fields_of(each) for each in part.values()))
    return set[str]().union(*map(fields_of, part)) if isinstance(part, list) else set[str]()
