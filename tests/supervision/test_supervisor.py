"""Both parts are kept running, each on its own. Small web servers are the parts here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from supervision.log_file import LogFile
from supervision.part import Part
from supervision.supervisor import Supervisor, WatchTimes
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for

STARTS_WITHIN = 60
HANGS_WITHIN = 150


def web_server(name: str) -> Part:
    port = free_port()
    module = ["http.server", str(port), "--bind", "127.0.0.1"]
    return Part(name, module, f"http://127.0.0.1:{port}/LICENSE")


def that_ends(log: LogFile | None = None) -> Part:
    return Part("The collector", ["no_such_module"], "http://127.0.0.1:1/", log)


@contextmanager
def supervised(*parts: Part, times: WatchTimes | None = None) -> Iterator[Thread]:
    """The thread in which they are supervised, once all answer."""
    supervisor = Supervisor(parts, [], times)
    thread = Thread(target=supervisor.run)
    thread.start()
    try:
        wait_for(lambda: all(part.is_well() for part in parts), STARTS_WITHIN)
        yield thread
    finally:
        supervisor.stop()
        thread.join(60)


def test_part_that_is_killed_starts_again_and_the_other_one_runs_on() -> None:
    one, other = web_server("one"), web_server("other")
    with supervised(one, other):
        killed, left = one.pid, other.pid
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: one.pid != killed and one.is_well(), STARTS_WITHIN)
        assert (other.pid, other.has_ended) == (left, False)


def test_stop_ends_both() -> None:
    one, other = web_server("one"), web_server("other")
    with supervised(one, other):
        pass
    assert one.has_ended
    assert other.has_ended


def test_stop_ends_the_wait_for_a_restart() -> None:
    one = web_server("one")
    with supervised(one):
        os.kill(one.pid, signal.SIGKILL)
        wait_for(lambda: one.has_ended, STARTS_WITHIN)
    assert one.has_ended


def test_part_that_does_not_start_at_first_ends_all_with_the_reason() -> None:
    other = web_server("other")
    reason = Supervisor([other, that_ends()], []).run()
    assert reason == "The collector did not start (exit code 1); what it had to say stands above."
    assert other.has_ended


def test_reason_is_the_last_line_of_its_log(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "collector.log")
    reason = Supervisor([that_ends(log)], [log]).run()
    assert reason.startswith(
        f"The collector did not start (exit code 1); the end of {log.path} says: "
    )
    assert reason.endswith("No module named no_such_module")


def test_next_one_starts_while_one_does_not_answer_yet() -> None:
    waiting = Part("one", ["http.server", str(free_port())], "http://127.0.0.1:1/")
    other = web_server("other")
    supervisor = Supervisor([waiting, other], [], WatchTimes(start=0, question=0.1, unanswered=1))
    thread = Thread(target=supervisor.run)
    thread.start()
    try:
        wait_for(other.is_well, STARTS_WITHIN)
        assert not waiting.has_ended, "it was taken to hang although it has never answered"
    finally:
        supervisor.stop()
        thread.join(60)


@pytest.mark.long
def test_part_that_hangs_starts_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="supervision")
    one = web_server("one")
    with supervised(one, times=WatchTimes(question=0.1, unanswered=2)):
        wait_for(lambda: "part_started" in caplog.text, STARTS_WITHIN)
        stuck = one.pid
        os.kill(stuck, signal.SIGSTOP)
        wait_for(lambda: one.pid != stuck and one.is_well(), HANGS_WITHIN)
