"""CONTRIBUTING.md, README.md, docs/ and deploy/README.md name files, targets and names that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = "core|collector|pages|supervision|deploy|embed|tests|docs|benchmarks|.streamlit|.ci"
DEFINES = r"\b(?:class|def|function|const)"
TO_BE_MADE = {"pages/live/sources.py"}
"""What a guide has its reader make."""
NAMES = {file.name for folder in FOLDERS.split("|") for file in (ROOT / folder).rglob("*.py")}
"""A file is also named without its folder, where the text is about that folder."""


def find_tests(file: Path) -> set[str]:
    """The names of the tests in the file."""
    found = re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    return set(found)


TESTS = set[str]().union(*map(find_tests, (ROOT / "tests").rglob("test_*.py")))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def paths(text: str) -> set[str]:
    """The files and folders of the project in the text; NAME in capitals stands for any."""
    found = re.findall(rf"`((?:{FOLDERS})/[\w./$-]*|[\w-]+\.(?:py|toml|md|txt))`", text)
    return {path for path in found if "NAME" not in path} - TO_BE_MADE


@each_page
def test_named_files_exist(page: Path) -> None:
    named = paths(page.read_text("utf-8")) - NAMES
    assert [path for path in named if not (ROOT / path).exists()] == []


@each_page
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+://)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text("utf-8"))
    for file, heading in links:
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), file
        assert not heading or heading in anchors(target.read_text("utf-8")), f"{file}#{heading}"


@each_page
def test_named_targets_of_make_exist(page: Path) -> None:
    named = re.findall(r"(?:`|^)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= TARGETS


@each_page
def test_names_are_in_the_file_that_the_text_names(page: Path) -> None:
    pairs = re.findall(r"`(\w+)`(?: in|,)\s+`([\w./-]+\.(?:py|js))`", page.read_text("utf-8"))
    missing = [
        (name, file)
        for name, file in pairs
        if not re.search(rf"{DEFINES} {name}\b|^ *{name}\b *[:=]", text_of(file), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["docs/security.md", "docs/reliability.md"])
def test_each_promise_is_tested(page: str) -> None:
    named = named_tests(page)
    assert named
    assert named - TESTS == set()


def test_each_fault_that_is_tested_is_promised() -> None:
    faults = set[str]().union(*map(find_tests, (ROOT / "tests/faults").glob("test_*.py")))
    assert faults - named_tests("docs/reliability.md") == set()


def named_tests(page: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", text_of(page)))


def text_of(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


def test_every_recipe_says_what_to_touch_and_how_it_is_tested() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("\n## How to add ...\n")[1]
    recipes = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(recipes) >= 12
    for recipe in recipes:
        assert "\n1. " in recipe, recipe
        assert "\nTest: " in recipe, recipe
        assert paths(recipe), recipe


def anchors(text: str) -> set[str]:
    """The addresses of a page's headings, as Markdown's readers make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
