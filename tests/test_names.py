"""One name for one thing: type names and file names over the whole repository."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "collector", "core", "deploy", "embed", "pages", "supervision", "tests")
ONE_A_FOLDER = {"__init__.py", "__main__.py", "conftest.py", "page.py", "index.html"}
"""Names that a tool or the layout gives: one of them in many folders is no confusion."""

_TYPE = re.compile(r"[A-Z]\w*[a-z]\w*")
_CLASS = re.compile(r"^\s*(?:export )?(?:default )?class (\w+)", re.MULTILINE)
_MAKES_TYPES = (ast.Subscript, ast.BinOp, ast.Attribute)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every script of the project except built ones."""
    found = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.*")]
    return [
        file
        for file in [*found, *ROOT.glob("*.py")]
        if file.suffix in {".py", ".js", ".css"} and "dist" not in file.parts
    ]


def test_type_name_is_defined_once(files: list[Path]) -> None:
    defined = defaultdict[str, list[str]](list)
    for file in files:
        for name in types_of(file):
            defined[name].append(str(file.relative_to(ROOT)))
    assert {name: places for name, places in defined.items() if len(places) > 1} == {}


def test_file_name_is_not_the_name_of_three(files: list[Path]) -> None:
    named = defaultdict[str, list[str]](list)
    for file in files:
        if file.name not in ONE_A_FOLDER:
            named[file.name].append(str(file.relative_to(ROOT)))
    assert {name: places for name, places in named.items() if len(places) > 2} == {}


def types_of(file: Path) -> Iterator[str]:
    """The classes and type aliases that the file defines."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".js":
        yield from _CLASS.findall(text)
    if file.suffix != ".py":
        return
    tree = ast.parse(text)
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, _MAKES_TYPES):
            target = node.targets[0]
            if isinstance(target, ast.Name) and _TYPE.fullmatch(target.id):
                yield target.id
