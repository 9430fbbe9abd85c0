"""Two collectors on one SQLite file: the second one is refused, by whatever name it was given the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.collector_process import CollectorProcess


@pytest.fixture
def first(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector that serves."""
    folder = tmp_path / "first"
    folder.mkdir()
    first = CollectorProcess(folder, ["shop"])
    try:
        first.start()
        yield first
    finally:
        first.kill()


@pytest.mark.parametrize(
    ("link", "refusal"),
    [(os.symlink, "Another collector (process "), (os.link, "second.db has a second name")],
)
def test_second_collector_by_another_name_is_refused(
    first: CollectorProcess, tmp_path: Path, link, refusal: str
):
    folder = tmp_path / "second"
    folder.mkdir()
    link(first.database, folder / "second.db")
    second = CollectorProcess(folder, [], f"sqlite:///{folder / 'second.db'}")

    second.begin()

    assert second.wait() == 1
    assert refusal in second.log.read_text()
    assert first.is_running
