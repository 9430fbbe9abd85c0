"""An installation without what only a visitor needs is refused at the start, not by the first visitor."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

from collector import warm_up
from collector.warm_up import IncompleteInstallation, refuse_incomplete_installation
from tests.helpers.preloaded import ROOT

WITHOUT = """
import sys
from collector import command, warm_up

found = warm_up.find_spec
warm_up.find_spec = lambda name: None if name == "tzdata" else found(name)
sys.argv = ["collector"]
command.main()
"""


def test_whole_installation_is_not_refused() -> None:
    refuse_incomplete_installation()


def test_missing_library_and_file_are_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def find(name: str) -> ModuleSpec | None:
        folder = ModuleSpec(name, None, is_package=True)  # all that is left of it
        return folder if name == "is_bot" else find_spec(name)

    monkeypatch.setattr(warm_up, "sources_file", lambda: tmp_path / "sources.csv")
    monkeypatch.setattr(warm_up, "find_spec", find)
    with pytest.raises(IncompleteInstallation, match=r"is_bot and sources\.csv missing: install"):
        refuse_incomplete_installation()


def test_collector_ends_in_one_line_before_it_touches_the_database(tmp_path: Path) -> None:
    file = tmp_path / "monitor.db"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": f"sqlite:///{file}"},
        capture_output=True,
    )
    assert done.returncode == os.EX_CONFIG
    assert done.stderr.decode().count("\n") == 1 and b"tzdata missing" in done.stderr
    assert not file.exists()
