"""Most tests of the collector do not depend on the database: they run on SQLite."""

from collections.abc import Callable

import pytest

from tests.running_collector import RunningCollector


@pytest.fixture
def collector(run_collector: Callable[..., RunningCollector], sqlite_url: str) -> RunningCollector:
    """A collector on a SQLite file, its clock in the test's hand, with the sites shop1 and open."""
    return run_collector(sqlite_url)


@pytest.fixture
def quick_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chats that are over are closed at once; to be asked for before the collector."""
    monkeypatch.setattr("collector.housekeeping.CLOSE_CHATS_EVERY", 0.2)
