"""The steps of docs/charts.md work, also when its text is followed word by word."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from core.database import reading
from core.frames import Picture, picture_at
from core.sites import list_sites
from pages import own
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
    kinds = ("chart", "column", "draw", "page")
    assert [len(blocks(kind)) for kind in kinds] == [2, 1, 1, 1]


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


@pytest.mark.long
@pytest.mark.timeout(120)
def test_guide_followed_word_by_word_changes_the_page(database: Database, tmp_path: Path) -> None:
    picture_of(database)
    program = copy_of_the_program(tmp_path / "program")
    bars, sources = blocks("chart")
    [draw], [column], [page] = blocks("draw"), blocks("column"), blocks("page")
    imports, call = draw.split("\n\n", 1)
    write(program / "pages/live/sparkline.py", bars)
    write(program / "pages/live/sources.py", sources)
    live, table = program / "pages/live/page.py", program / "pages/live/columns.py"
    edit(live, "import streamlit as st\n", f"import streamlit as st\n{imports}\n")
    cards = "    draw_cards(picture, site)\n"
    edit(live, cards, cards + indent(call, "    "))
    edit(
        live, "    return current_view().needs_every_row or _tab_shown() == DATA", "    return True"
    )
    edit(table, "\n)\n\nPAST_CHAT", f"\n    {column.strip()},\n)\n\nPAST_CHAT")
    write(program / "data/pages/entry-pages/page.py", page)
    shown = shown_by(program, database)
    assert shown["faults"] == []
    assert any('"bar"' in chart and "is_today" in chart for chart in shown["charts"])
    assert "Sources" in shown["html"]
    assert '"Device"' in shown["table"]
    assert {"Entry pages", "Visitor Monitor"} <= set(shown["menu"])
    assert "The last 24 hours" in shown["own"] and "<td>/</td><td>8</td>" in shown["own"]


def test_names_that_stay_are_those_of_the_guide() -> None:
    table = GUIDE.partition("These names of `pages.own` stay")[2].partition("\n\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)", cell)}
    assert named == set(own.__all__)
    assert all(hasattr(own, name) for name in named)


def copy_of_the_program(folder: Path) -> Path:
    """The program without what somebody made of it."""
    root = Path(__file__).parents[3]
    folder.mkdir()
    for part in ("core", "pages", "embed", ".streamlit"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def edit(file: Path, place: str, text: str) -> None:
    """Put the text in the place of what stands there once."""
    before = file.read_text(encoding="utf-8")
    assert before.count(place) == 1, place
    file.write_text(before.replace(place, text), encoding="utf-8")


def shown_by(program: Path, database: Database) -> dict[str, Any]:
    """What the pages of this program show, in a process that has loaded no other."""
    done = subprocess.run(
        [sys.executable, "-c", _SHOW],
        cwd=program,
        env={**os.environ, "MONITOR_DATABASE_URL": database.url, "PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])


_SHOW = """
import json
from streamlit.runtime.context import ContextProxy, StreamlitHeaders
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

ContextProxy.cookies, ContextProxy.ip_address, ContextProxy.headers = {}, None, StreamlitHeaders([])

def opened(address=""):
    test = AppTest.from_file("pages/navigation.py", default_timeout=60)
    if address:
        test._page_hash = calc_hash(address)
    return test.run()

def html(page):
    return "".join(each.proto.body for each in page.get("html"))

live, own = opened(), opened("own-entry-pages")
components = [each.proto for each in live.get("bidi_component")]
tables = [each for each in components if each.component_name == "visitor_monitor_table"]
print(json.dumps({
    "faults": [each.value for page in (live, own) for each in page.exception],
    "charts": [each.proto.spec for each in live.get("vega_lite_chart")],
    "html": html(live),
    "own": html(own),
    "menu": [each.proto.label for each in live.sidebar.get("page_link")],
    "table": (tables[0].bytes or tables[0].json.encode()).decode(),
}))
"""


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
