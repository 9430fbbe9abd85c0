"""A database that freezes, and what is asked of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from core import database_watch, deadline
from core.database import database_sign, open_database
from core.database_threads import DatabaseThreads
from core.database_watch import DatabaseWatch
from core.deadline import DatabaseUnavailable, OutcomeUnknown, read, read_async, write, write_async
from core.moment import utc_now
from core.settings import settings
from core.sites import add_site, list_sites
from tests.helpers.event_loop import run
from tests.helpers.frozen_database import frozen_sqlite
from tests.helpers.running_collector import wait_for

QUESTIONS: list[Any] = [
    read,
    write,
    lambda question: run(read_async(question)),
    lambda question: run(write_async(question)),
]
of_every_way = pytest.mark.parametrize(
    "ask", QUESTIONS, ids=["read", "write", "read_async", "write_async"]
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_watch, "EVERY", 0.05)
    monkeypatch.setattr(database_watch, "ANSWERS_WITHIN", 0.5)


@pytest.fixture
def file(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the dashboard's database, which it has open, and for which it waits as good as for ever."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(deadline, "DEADLINE", 60.0)
    monkeypatch.setattr(deadline, "_threads_of_pages", DatabaseThreads())
    monkeypatch.setattr(deadline, "_threads_of_loop", DatabaseThreads())
    settings.cache_clear()
    read(list_sites)
    yield Path(sqlite_url.removeprefix("sqlite:///"))
    settings.cache_clear()
    deadline._engine.cache_clear()


@of_every_way
def test_who_waits_is_told_that_the_database_is_frozen_before_their_own_time_is_over(
    ask: Any, file: Path
) -> None:
    with (
        frozen_sqlite(file),
        pytest.raises(DatabaseUnavailable, match=r"has not answered\. See that"),
    ):
        ask(list_sites)
    wait_for(can_read)
    assert ask(list_sites) == []


@pytest.mark.parametrize("save", QUESTIONS[1::2], ids=["write", "write_async"])
def test_what_was_to_be_saved_while_the_database_was_frozen_never_is(save: Any, file: Path) -> None:
    with frozen_sqlite(file):
        with pytest.raises(DatabaseUnavailable, match=r"has not answered\. See that") as refused:
            save(lambda db: add_site(db, name="Shop", key="shop", now=utc_now()))
        assert not isinstance(refused.value, OutcomeUnknown)
    wait_for(can_read)
    wait_for(lambda: all(thread.name != "database" for thread in threading.enumerate()))
    assert read(list_sites) == []


@of_every_way
def test_frozen_database_is_asked_nothing_more_until_it_answers(ask: Any, file: Path) -> None:
    asked: list[bool] = []
    with frozen_sqlite(file):
        with pytest.raises(DatabaseUnavailable):
            read(list_sites)
        for _ in range(20):
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                ask(lambda _: asked.append(True))
    wait_for(can_read)
    assert asked == []
    ask(lambda _: asked.append(True))
    assert asked == [True]


def test_slow_question_says_nothing_about_the_database(file: Path) -> None:
    release = Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(read, lambda _: release.wait(60))
        watch = deadline._watch_of(deadline.database_engine())
        for _ in range(5):
            assert read(list_sites) == []
            Event().wait(database_watch.ANSWERS_WITHIN / 3)
        assert not watch.is_frozen and not slow.done()
        release.set()
        assert slow.result()


def test_database_that_refuses_is_not_frozen() -> None:
    asked = Event()

    def refuse() -> None:
        asked.set()
        raise OSError

    watch = DatabaseWatch(refuse)
    watch.keep()
    assert asked.wait(10)
    assert not watch.is_frozen


def test_database_that_refuses_after_it_was_frozen_stays_frozen_until_it_says_something_at_once() -> (
    None
):
    held, answers = Event(), Event()

    def ask() -> None:
        if not answers.is_set():
            held.wait(60)
            raise OSError

    watch = DatabaseWatch(ask)
    watch.keep()
    wait_for(lambda: watch.is_frozen)
    held.set()
    answers.set()
    wait_for(lambda: not watch.is_frozen)


def test_answer_that_is_late_is_waited_for_a_moment_more_from_when_that_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, asked = Event(), Event()
    now = [100.0]
    monkeypatch.setattr(database_watch, "monotonic", lambda: now[0])

    def ask() -> None:
        asked.set()
        release.wait(60)

    watch = DatabaseWatch(ask)
    watch.keep()
    assert asked.wait(10)
    now[0] += 3600  # as after the process was suspended
    assert not watch.is_frozen
    now[0] += database_watch.SEEN_FOR
    assert watch.is_frozen
    release.set()
    wait_for(lambda: not watch.is_frozen)


def test_asking_ends_when_nobody_has_asked_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_watch, "RESTS_AFTER", 0.2)
    asked: list[bool] = []
    watch = DatabaseWatch(lambda: asked.append(True))
    watch.keep()
    wait_for(lambda: asked and not watch._is_asking)
    before = len(asked)
    watch.keep()
    wait_for(lambda: len(asked) > before)


def test_database_gives_its_sign(database_url: str) -> None:
    engine = open_database(database_url)
    database_sign(engine)
    engine.dispose()


def can_read() -> bool:
    try:
        read(list_sites)
    except DatabaseUnavailable:
        return False
    return True
