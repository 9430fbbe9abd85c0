"""The lock of whoever serves a SQLite file."""

import os
import subprocess
import sys

import pytest

from core.serving_lock import LockHeld, SecondName, is_lock_free, serving_lock

DIES = "import os; from core.serving_lock import ServingLock; ServingLock(__import__('pathlib').Path({file!r})); os._exit(9)"


def take(url):
    with serving_lock(url):
        pass


def test_link_leads_to_the_same_lock(sqlite_url, tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "monitor.db")

    with serving_lock(sqlite_url), pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        take(f"sqlite:///{tmp_path / 'link.db'}")

    assert not (tmp_path / "link.db.lock").exists()


def test_folder_that_is_a_link_leads_to_the_same_lock(sqlite_url, tmp_path):
    (tmp_path / "folder").symlink_to(tmp_path)

    with serving_lock(sqlite_url), pytest.raises(LockHeld):
        take(f"sqlite:///{tmp_path}/folder/monitor.db")


def test_file_with_a_second_name_is_not_served_under_either(sqlite_url, tmp_path):
    os.link(tmp_path / "monitor.db", tmp_path / "second.db")

    for name in ("monitor.db", "second.db"):
        with pytest.raises(SecondName, match=f"{name} has a second name"):
            take(f"sqlite:///{tmp_path / name}")


def test_lock_says_whether_the_last_one_gave_it_back(sqlite_url, tmp_path):
    with serving_lock(sqlite_url) as first:
        pass
    with serving_lock(sqlite_url) as second:
        pass
    dies = DIES.format(file=str(tmp_path / "monitor.db"))
    subprocess.run([sys.executable, "-c", dies], check=False, timeout=30)
    with serving_lock(sqlite_url) as third:
        pass

    assert first and second and third
    assert (first.was_left, second.was_left, third.was_left) == (False, False, True)


def test_lock_file_that_was_removed_is_taken_anew(sqlite_url, tmp_path):
    with serving_lock(sqlite_url) as lock:
        assert lock
        (tmp_path / "monitor.db.lock").unlink()
        lock.keep()
        assert (tmp_path / "monitor.db.lock").read_text() == f"{os.getpid()}\n"
        assert not is_lock_free(tmp_path / "monitor.db")
        with pytest.raises(LockHeld):
            take(sqlite_url)

    assert is_lock_free(tmp_path / "monitor.db")


def test_lock_that_somebody_else_took_meanwhile_is_theirs(sqlite_url, tmp_path):
    with serving_lock(sqlite_url) as first:
        assert first
        (tmp_path / "monitor.db.lock").unlink()
        with serving_lock(sqlite_url):
            with pytest.raises(LockHeld):
                first.keep()
            assert not is_lock_free(tmp_path / "monitor.db")


def test_postgres_needs_no_lock():
    with serving_lock("postgresql+psycopg://x@127.0.0.1/y") as lock:
        assert lock is None
