"""Numbers that forked processes share: whoever adds one, none is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from collector.shared_table import WAYS, SharedTable

PROCESSES = 3
TIMES = 2_000


def in_processes(work: Callable[[int], object]) -> None:
    """Run it in several forked processes at a time, and wait for them."""
    pids: list[int] = []
    for number in range(PROCESSES):
        pid = os.fork()
        if not pid:
            try:
                work(number)
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


def add(table: SharedTable, key: str, number: int = 1) -> None:
    with table.hold(key):
        table.find(key)[0] += number


@pytest.mark.parametrize("locks", [1, 64])
def test_what_several_processes_add_to_a_key_at_once_is_the_sum(locks: int) -> None:
    table = SharedTable(256, 1, locks)

    def add_often(_: int) -> None:
        for _ in range(TIMES):
            add(table, "a")

    in_processes(add_often)

    assert list(table.find("a")) == [PROCESSES * TIMES]


def test_keys_do_not_share_numbers() -> None:
    table = SharedTable(1_024, 2)
    for number in range(100):
        add(table, f"key{number}", number)

    assert [table.find(f"key{number}")[0] for number in range(100)] == list(range(100))


def test_key_that_is_new_takes_the_place_of_the_least_once_there_is_no_free_one() -> None:
    table = SharedTable(WAYS, 1)
    for number in range(WAYS):
        add(table, f"key{number}", 5 + number)

    add(table, "new")

    assert table.find("new")[0] == 1
    assert [table.find(f"key{number}")[0] for number in range(1, WAYS)] == [*range(6, 5 + WAYS)]


def test_part_that_is_taken_out_of_each_key_is_gone_from_its_sum() -> None:
    table = SharedTable(256, 3, locks=1)
    with table.hold("a"):
        numbers = table.find("a")
        numbers[0], numbers[1], numbers[2] = 5, 2, 3

    table.take_out(1)

    assert list(table.find("a")) == [3, 0, 3]


def test_process_that_is_killed_while_it_holds_a_key_keeps_nobody_out() -> None:
    table = SharedTable(256, 1, locks=1)
    pid = os.fork()
    if not pid:
        with table.hold("a"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)

    add(table, "a")

    assert table.find("a")[0] == 1
