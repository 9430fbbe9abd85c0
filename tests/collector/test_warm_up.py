"""An installation without what only a visitor needs is refused at the start, not by the first visitor."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from collector import warm_up
from collector.warm_up import refuse_incomplete_installation
from core.command_error import CommandError


def test_whole_installation_is_not_refused() -> None:
    refuse_incomplete_installation()


def test_missing_library_and_file_are_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(warm_up, "sources_file", lambda: tmp_path / "sources.csv")
    monkeypatch.setattr(
        warm_up, "find_spec", lambda name: None if name == "is_bot" else util.find_spec(name)
    )
    with pytest.raises(CommandError, match=r"is_bot and sources\.csv missing: install it again"):
        refuse_incomplete_installation()
