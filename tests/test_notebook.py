"""docs/notebook.md and its notebook: what is shown was executed, and can be executed again."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from sqlalchemy import Engine

from core.database import open_database, writing
from core.settings import settings
from core.tables import Site, VisitSpan
from core.visits.presence import SpanKind
from tests.helpers.seed import make_database, make_site, make_visit
from tests.helpers.stored_rows import store_row

DOCS = Path(__file__).parents[1] / "docs"
CELLS: list[dict[str, Any]] = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))["cells"]
CODE = [each for each in CELLS if each["cell_type"] == "code"]
PATH = (("Product", "/products/a"), ("Cart", "/cart"), ("", "/"))


@pytest.fixture
def in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder docs/ of a project with a database of a few visits."""
    for folder in ("data", "docs"):
        (tmp_path / folder).mkdir()
    url, engine = make_database(tmp_path / "data")
    fill(engine)
    engine.dispose()
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    monkeypatch.chdir(tmp_path / "docs")
    renderer = alt.renderers.active
    yield tmp_path / "docs"
    alt.renderers.enable(renderer)


def fill(engine: Engine) -> Site:
    site = make_site(engine, key="demo", name="Demo shop")
    now = datetime.now(UTC)
    for number in range(9):
        context, path = PATH[number % 3]
        page = {"current_path": path, "page_context": context, "entry_path": path}
        make_visit(engine, site, f"visit{number}", now=now, **page)
        with writing(engine) as db:
            span = {"site_id": site.id, "visit_id": f"visit{number}", "tab": 1, "number": 1}
            begin = now - timedelta(seconds=60)
            active = {"kind": SpanKind.ACTIVE, "from_at": begin, "until_at": now}
            store_row(db, VisitSpan(**span, **active))
    return site


def test_every_cell_of_the_notebook_runs(in_a_project: Path) -> None:
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in CODE]
    funnel = names["funnel"]["visits"].to_dict()
    assert funnel == {"Product": 3, "Cart": 3, "In Checkout": 0, "Purchased": 0}
    by_path = next(each for each in reversed(shown) if each is not None)
    assert by_path["views"].sum() == 9


def test_notebook_has_the_outputs_of_its_cells_and_nothing_of_a_machine() -> None:
    assert [each["execution_count"] for each in CODE] == [*range(1, len(CODE) + 1)]
    outputs = json.dumps([each["outputs"] for each in CODE])
    kinds = {output["output_type"] for each in CODE for output in each["outputs"]}
    assert "error" not in kinds and "image/png" in outputs
    text = re.sub(r'"image/png": "[^"]*"', "", outputs)
    assert not re.search(r"/(tmp|home|root|work|Users)/|https?://|stderr", text)


def test_question_on_postgres_runs(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_database(postgres_url)
    fill(engine)
    engine.dispose()
    monkeypatch.setenv("MONITOR_DATABASE_URL", postgres_url)
    settings.cache_clear()
    text = (DOCS / "notebook.md").read_text("utf-8")
    [code] = re.findall(r"```python postgres\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/notebook.md", "exec"), names)
    settings.cache_clear()
    assert names["found"]["visits"].sum() == 9
    assert "visits" in capsys.readouterr().out


def run_cell(code: str, names: dict[str, Any]) -> Any:
    """Run the cell; the value of its last expression, drawn as a notebook draws it."""
    body = ast.parse(code).body
    last = body[-1]
    if isinstance(last, ast.Expr):
        body.pop()
    exec(compile(ast.Module(body, []), "docs/notebook.ipynb", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    value = eval(compile(ast.Expression(last.value), "docs/notebook.ipynb", "eval"), names)
    draw = getattr(value, "_repr_mimebundle_", None) or getattr(value, "_repr_html_", None)
    if draw is not None:
        draw()
    return value
