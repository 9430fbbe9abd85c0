"""Nobody reads or changes anything from a page but as who they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASKS = {"read", "read_replica", "write", "read_async", "write_async", "database_engine"}
"""What of core/deadline.py reaches the database; the rest are its errors and its address."""

ROUTES = ("pages/server/", "pages/sign_in/")
"""Behind the gate, or before it: their requests are checked by pages/server/access.py."""

VIEWER = "pages/parts/viewer.py"


def uses(file: Path) -> Iterator[str]:
    """What the file takes of core.deadline, "*" for all of it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "core.deadline":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "core":
            yield from ("*" for alias in node.names if alias.name == "deadline")
        elif isinstance(node, ast.Import):
            yield from ("*" for alias in node.names if alias.name == "core.deadline")


def test_pages_reach_the_database_only_as_their_viewer() -> None:
    found = {
        str(file.relative_to(ROOT)): asked
        for file in (ROOT / "pages").rglob("*.py")
        if (asked := set(uses(file)) & {*ASKS, "*"})
    }
    assert found.pop(VIEWER) == {"read", "read_replica", "write"}
    assert [name for name in found if not name.startswith(ROUTES)] == []


def test_every_way_to_the_database_is_known_here() -> None:
    tree = ast.parse((ROOT / "core/deadline.py").read_text(encoding="utf-8"))
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
    }
    assert public == {*ASKS, "database_url", "replica_state"}
