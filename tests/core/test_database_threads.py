"""Work on the database from an event loop, when it is slow, does not answer or has many callers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event, Semaphore, Timer

import pytest

from core import deadline
from core.database import Connection
from core.database_threads import (
    AT_A_TIME,
    MOST_THREADS,
    MOST_WAITING,
    DatabaseThreads,
    NoThread,
    TooManyWaiting,
)
from core.deadline import DatabaseUnavailable, read, read_async, write_async
from core.settings import settings
from tests.helpers.event_loop import run


@pytest.fixture
def release() -> Iterator[Event]:
    """The event that ends all the work that hangs."""
    release = Event()
    yield release
    release.set()


@pytest.fixture
def dashboard(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The dashboard's way to a database of the test's own."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(deadline, "_threads_of_pages", DatabaseThreads())
    monkeypatch.setattr(deadline, "_threads_of_loop", DatabaseThreads())
    settings.cache_clear()
    yield
    settings.cache_clear()


def database_threads() -> int:
    return sum(thread.name == "database" for thread in threading.enumerate())


def test_work_is_done_on_a_thread_of_its_own() -> None:
    async def ask() -> str:
        return await DatabaseThreads().run(lambda: threading.current_thread().name)

    assert run(ask()) == "database"


def test_fault_of_the_work_reaches_who_waits() -> None:
    with pytest.raises(ZeroDivisionError):
        run(DatabaseThreads().run(lambda: 1 / 0))


def test_only_so_much_is_done_at_a_time_and_all_of_it_in_the_end() -> None:
    at_once: list[int] = []
    lock = threading.Lock()
    running = 0

    def work() -> None:
        nonlocal running
        with lock:
            running += 1
            at_once.append(running)
        time.sleep(0.002)
        with lock:
            running -= 1

    async def ask() -> None:
        threads = DatabaseThreads()
        await asyncio.gather(*(threads.run(work) for _ in range(MOST_WAITING)))

    run(ask())
    assert len(at_once) == MOST_WAITING
    assert max(at_once) <= AT_A_TIME


def test_one_more_than_may_wait_is_refused(release: Event) -> None:
    async def ask() -> list[object]:
        threads = DatabaseThreads()
        waiting = [asyncio.create_task(threads.run(release.wait)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWaiting):
            await threads.run(lambda: None)
        release.set()
        return await asyncio.gather(*waiting)

    assert run(ask()) == [True] * MOST_WAITING


def test_work_that_hangs_collects_neither_threads_nor_who_waits(release: Event) -> None:
    before = database_threads()

    async def ask() -> tuple[Sequence[object], float]:
        threads = DatabaseThreads()
        began = time.monotonic()
        calls = (threads.run(release.wait, 0.2) for _ in range(100))
        results = await asyncio.gather(*calls, return_exceptions=True)
        return results, time.monotonic() - began

    results, seconds = run(ask())
    assert database_threads() - before == MOST_THREADS
    kinds = [type(result) for result in results]
    assert kinds == [TimeoutError] * MOST_THREADS + [NoThread] * (100 - MOST_THREADS)
    assert seconds < 3


def test_threads_are_free_again_once_the_database_answers(release: Event) -> None:
    async def ask() -> str:
        threads = DatabaseThreads()
        for _ in range(MOST_THREADS):
            with pytest.raises(TimeoutError):
                await threads.run(release.wait, 0.02)
        with pytest.raises(NoThread):
            await threads.run(lambda: "too soon")
        release.set()
        async with asyncio.timeout(10):
            while True:
                try:
                    return await threads.run(lambda: "again")
                except NoThread:
                    await asyncio.sleep(0.01)

    assert run(ask()) == "again"


def test_who_gives_up_takes_no_turn_from_the_next(release: Event) -> None:
    async def ask() -> str:
        threads = DatabaseThreads()
        hanging = [asyncio.create_task(threads.run(release.wait)) for _ in range(AT_A_TIME)]
        await asyncio.sleep(0.05)
        for each in hanging:
            each.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        return await threads.run(lambda: "next")

    assert run(ask()) == "next"


def test_one_question_more_than_there_are_threads_waits_for_a_place(
    dashboard: None, release: Event
) -> None:
    begun = Semaphore(0)

    def take_long(_: Connection) -> bool:
        begun.release()
        return release.wait(60)

    with ThreadPoolExecutor(MOST_THREADS + 4) as pages:
        busy = [pages.submit(read, take_long) for _ in range(MOST_THREADS)]
        assert all(begun.acquire(timeout=10) for _ in range(MOST_THREADS))
        more = [pages.submit(read, lambda _: "answered") for _ in range(4)]
        assert not wait(more, 0.3).done
        release.set()
        assert [each.result() for each in more] == ["answered"] * 4
        assert all(each.result() for each in busy)


def test_waiting_for_a_place_counts_towards_the_deadline(release: Event) -> None:
    threads = DatabaseThreads()
    for _ in range(MOST_THREADS):
        with pytest.raises(TimeoutError):
            threads.ask(release.wait, 0.01)
    began = time.monotonic()
    with pytest.raises(NoThread):
        threads.ask(lambda: None, 0.3)
    assert 0.25 < time.monotonic() - began < 2

    let_go = Timer(0.2, release.set)
    let_go.start()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        threads.ask(lambda: time.sleep(5), 0.5)
    assert time.monotonic() - began < 2


def test_pages_and_routes_say_the_same_and_wait_for_each_other_never(
    dashboard: None, release: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "DEADLINE", 0.3)

    async def ask() -> list[str]:
        hanging = (read_async(lambda _: release.wait(60)) for _ in range(MOST_THREADS + 1))
        results = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(each, DatabaseUnavailable) for each in results)
        return [str(each) for each in results]

    errors = run(ask())
    assert errors[0].startswith("The database has not answered within 0 seconds. See that the")
    assert errors[-1].startswith("The database does not answer. See that the collector runs")
    assert read(lambda _: "the pages go on") == "the pages go on"


def test_routes_are_refused_when_too_much_waits(
    dashboard: None, release: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_threads_of_loop", DatabaseThreads(most_waiting=1))

    async def ask() -> None:
        waiting = asyncio.create_task(write_async(lambda _: release.wait(60)))
        await asyncio.sleep(0)
        with pytest.raises(DatabaseUnavailable, match="does not answer: too many questions wait"):
            await read_async(lambda _: None)
        release.set()
        assert await waiting

    run(ask())


def test_routes_are_refused_without_a_database_and_make_none(
    tmp_path: Path, dashboard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    settings.cache_clear()
    with pytest.raises(
        DatabaseUnavailable, match=r"There is no database at .*: start the collector once"
    ):
        run(read_async(lambda _: None))
    assert not (tmp_path / "empty.db").exists()
