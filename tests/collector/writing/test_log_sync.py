"""What a worker is told to be committed is on the disk, though SQLite's commit does not wait for that."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from sqlalchemy import Engine

from collector.chat.actions import ACTIONS, RESULTS
from collector.control import hand_link, hear
from collector.writing import log_sync
from collector.writing.codec import ActionCodec, decode_hit_results, encode, encoded_list
from collector.writing.counters import Counters
from collector.writing.frames import FrameKind, FrameReader, frame
from collector.writing.hit_results import Given, HitResults
from collector.writing.inbox import Inbox
from collector.writing.log_sync import LogSync
from core.database import open_database, reading, writing
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

DONE, NOT_COMMITTED = Accepted("visit"), Refused(Reason.NOT_COMMITTED)


class SlowDisk(LogSync):
    """A disk that takes until it is told to have synced."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.is_done = Event()

    def try_once(self) -> bool:
        assert self.is_done.wait(10)
        return super().try_once()


class OneWorker:
    """The inbox of a writer, and the other end of its link to one worker."""

    def __init__(self, sync: LogSync) -> None:
        to_writer, of_writer = socket.socketpair()
        to_worker, of_worker = socket.socketpair()
        hand_link(to_worker, to_writer)
        link = hear(of_worker).link
        assert link is not None
        self.controls = (to_writer, to_worker)
        self.socket = link
        self.socket.settimeout(10)
        self.frames = FrameReader()
        self.inbox = Inbox(of_writer, ActionCodec(ACTIONS, RESULTS), Counters())
        self.noted: list[Given] = []
        self.results = HitResults(self.inbox, sync, self.noted.append)
        self.inbox.read(5)
        self.told()  # that the writer is there

    def send(self, number: int) -> None:
        """Send so many hits, and have the writer read them."""
        hits = [Hit(1, ("visit",), False, "tab", 0, (), None)] * number
        self.socket.sendall(frame(FrameKind.HITS, encoded_list([encode(hit) for hit in hits])))
        self.inbox.read(5)

    def give(self, number: int) -> None:
        """Give the oldest so many hits their results, as if they were committed."""
        self.results.give(self.inbox.take_hits(number), [DONE] * number, monotonic())

    def told(self) -> list[tuple[FrameKind, bytes]]:
        """What the writer says next."""
        return list(self.frames.read(self.socket.recv(65_536)))

    def answers(self) -> list[Accepted | Refused]:
        """The results that it gives next."""
        return [each for _, content in self.told() for each in decode_hit_results(content)[1]]

    def has_answers(self) -> bool:
        """Whether it has given any."""
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(10)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE told (number INTEGER)")
    with reading(engine) as db, writing(engine):  # none is opened later, without its log
        db.exec_driver_sql("SELECT number FROM told").all()
    yield engine
    engine.dispose()


def tell(engine: Engine, number: int) -> None:
    with writing(engine, syncs_log=False) as db:
        db.exec_driver_sql("INSERT INTO told VALUES (?)", (number,))


def log_of(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-wal")


def told_by_file_alone(engine: Engine, folder: Path) -> list[int]:
    """What is in the file without its log."""
    copy = folder / "copy.db"
    shutil.copy(str(engine.url.database), copy)
    with reading(open_database(f"sqlite:///{copy}")) as db:
        return list(db.exec_driver_sql("SELECT number FROM told").scalars())


def test_next_batch_is_taken_while_the_log_is_synced_and_nobody_is_told_before(
    engine: Engine,
) -> None:
    disk = SlowDisk(engine)
    worker = OneWorker(disk)
    worker.send(3)
    worker.give(2)
    assert not worker.has_answers()
    assert not worker.noted
    disk.is_done.set()
    assert worker.answers() == [DONE, DONE]
    worker.give(1)
    assert worker.answers() == [DONE]
    assert [(given.hits, given.fault) for given in worker.noted] == [(2, None), (1, None)]


def test_writer_that_stops_waits_for_what_is_synced_aside(engine: Engine) -> None:
    disk = SlowDisk(engine)
    worker = OneWorker(disk)
    worker.send(2)
    worker.give(1)
    disk.is_done.set()
    worker.results.settle()
    assert worker.has_answers()
    assert [given.hits for given in worker.noted] == [1]


def test_what_could_not_be_synced_aside_is_given_once_the_writer_has_emptied_the_log(
    engine: Engine, tmp_path: Path
) -> None:
    disk = SlowDisk(engine)
    worker = OneWorker(disk)
    log_of(engine).unlink()
    tell(engine, 1)
    worker.send(2)
    worker.give(1)
    disk.is_done.set()
    worker.results.settle()
    assert worker.answers() == [DONE]
    assert [given.fault for given in worker.noted] == [None]
    assert told_by_file_alone(engine, tmp_path) == [1]


def test_hits_that_may_not_be_on_the_disk_are_to_be_sent_again(engine: Engine) -> None:
    worker = OneWorker(LogSync(engine))
    with reading(engine) as reader:
        reader.exec_driver_sql("SELECT number FROM told").all()
        log_of(engine).unlink()  # so that it can neither be synced nor emptied
        tell(engine, 1)
        worker.send(1)
        worker.give(1)
        assert worker.answers() == [NOT_COMMITTED]
        assert isinstance(worker.noted[-1].fault, OSError)
    tell(engine, 2)
    worker.send(1)
    worker.give(1)
    assert worker.answers() == [DONE]
    assert worker.noted[-1].fault is None


def test_refused_hits_need_no_disk(engine: Engine) -> None:
    worker = OneWorker(SlowDisk(engine))
    worker.send(1)
    batch = worker.inbox.take_hits(1)
    worker.results.give(batch, [NOT_COMMITTED], monotonic())
    assert worker.answers() == [NOT_COMMITTED]
    assert not worker.noted[-1].is_committed


def test_log_that_cannot_be_synced_is_moved_into_the_file(engine: Engine, tmp_path: Path) -> None:
    log_of(engine).unlink()
    tell(engine, 1)
    LogSync(engine).run()
    assert told_by_file_alone(engine, tmp_path) == [1]


def test_log_stays_open_so_that_no_fault_is_told_to_others_only(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(log_sync, "_sync", synced.append)
    sync = LogSync(engine)
    sync.run()
    sync.run()
    assert len(set(synced)) == 1
    sync.close()


def test_log_that_was_made_anew_is_the_one_that_is_synced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(log_sync, "_sync", lambda log: synced.append(os.fstat(log).st_ino))
    sync = LogSync(engine)
    sync.run()
    engine.dispose()  # the last connection takes the log with it
    tell(engine, 1)
    sync.run()
    assert synced[1] == log_of(engine).stat().st_ino != synced[0]
    sync.close()


def test_after_a_failed_sync_nothing_counts_until_the_log_is_in_the_file(
    engine: Engine, tmp_path: Path
) -> None:
    sync, log = LogSync(engine), log_of(engine)
    with reading(engine) as reader:
        reader.exec_driver_sql("SELECT number FROM told").all()
        aside = log.rename(log.with_name("aside"))
        tell(engine, 1)
        with pytest.raises(OSError, match="could not be synced"):
            sync.run()
        aside.rename(
            log
        )  # it could be synced now, but what was dropped meanwhile would not be in it
        with pytest.raises(OSError, match="could not be synced"):
            sync.run()
        assert not sync.can_run_aside
    sync.run()
    assert told_by_file_alone(engine, tmp_path) == [1]
    assert sync.can_run_aside


def test_other_transactions_still_wait_for_the_disk(engine: Engine) -> None:
    tell(engine, 1)
    with writing(engine) as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with writing(engine, syncs_log=False) as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 1
