"""A transaction of chat actions: as many as there is time for, at least one, each site's in their order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from sqlalchemy import Connection, Engine

from collector.writing import action_batch
from collector.writing.action_batch import BEGUN_WITHIN, commit_actions
from core.database import open_database


class Spoken(Struct):
    """What somebody does, and the result of it."""

    site_id: int
    text: str = ""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    yield engine
    engine.dispose()


def perform(_: Connection, action: Any) -> Struct:
    return action


def test_actions_are_begun_while_there_is_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(0.0, BEGUN_WITHIN / 2.5)
    monkeypatch.setattr(action_batch, "monotonic", lambda: next(clock))
    actions = [Spoken(1, f"{number}") for number in range(5)]

    results = commit_actions(engine, perform, actions, lambda fault: None)

    assert results == [*actions[:3], None, None]


def test_one_action_is_done_however_slow_the_machine_is(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(0.0, 60.0)
    monkeypatch.setattr(action_batch, "monotonic", lambda: next(clock))
    actions = [Spoken(1), Spoken(1)]

    assert commit_actions(engine, perform, actions, lambda fault: None) == [actions[0], None]
