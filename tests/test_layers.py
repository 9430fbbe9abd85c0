"""Who may import whom: core nobody of ours, collector and pages only core, never each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "core": {"streamlit", "starlette", "collector", "pages", "altair", "app"},
    "collector": {"pages", "pandas", "streamlit", "altair", "app"},
    "pages": {"collector", "sqlalchemy", "sqlmodel", "alembic", "sqlite3", "psycopg", "app"},
}
FILES = [file for folder in FORBIDDEN for file in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_file_imports_only_what_its_part_may(file: Path) -> None:
    part = file.relative_to(ROOT).parts[0]
    found = imported(file)
    assert not {name for name in found if name.split(".")[0] in FORBIDDEN[part]}
    if part == "collector":
        assert not {name for name in found if name.startswith("core.frames")}
    if part == "core" and "frames" not in file.parts:
        assert "pandas" not in {name.split(".")[0] for name in found}


def imported(file: Path) -> set[str]:
    """The modules that the file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
