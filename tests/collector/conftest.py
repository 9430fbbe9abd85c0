"""Most tests of the collector do not depend on the database: they run on SQLite."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.helpers.collector_chats import offer_chat
from tests.helpers.running_collector import RunningCollector, running_collector, view

_numbers = count(1)


@pytest.fixture
def collector(run_collector: Callable[..., RunningCollector], sqlite_url: str) -> RunningCollector:
    """A collector on a SQLite file, its clock controlled by the test, with the sites shop1 and open."""
    return run_collector(sqlite_url)


@pytest.fixture
def quick_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chats that are over are closed at once; request it before the collector."""
    monkeypatch.setattr("collector.writing.housekeeping.CLOSE_CHATS_EVERY", 0.2)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> Iterator[Any]:
    """One collector for all cases; each has a visit of its own."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("calls") / "monitor.db")
    with running_collector(f"sqlite:///{file}") as collector:
        offer_chat(collector)
        yield collector


@pytest.fixture
def visit(shared: RunningCollector) -> str:
    """A live visit that has no conversation yet."""
    visit_id = f"visit{next(_numbers):011d}"
    assert shared.post(view(), visit=visit_id).status_code == 200
    return visit_id
