"""What a process sees of the place where a SQLite database is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.damage_mark import set_mark
from core.health.storage import Storage, measure_storage


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "monitor.db"
    file.write_bytes(b"x" * 5_000)
    file.chmod(0o600)
    return file


def measured(file: Path) -> Storage:
    return measure_storage(f"sqlite:///{file}")


def test_sizes_and_what_is_left_of_the_disk(file: Path):
    Path(f"{file}-wal").write_bytes(b"x" * 70)
    found = measured(file)
    assert (found.file, found.file_bytes, found.wal_bytes) == (str(file), 5_000, 70)
    assert 0 < (found.disk_free or 0) <= (found.disk_bytes or 0)


def test_what_lies_beside_the_file_is_found_behind_a_link(file: Path):
    Path(f"{file}-wal").write_bytes(b"x" * 70)
    (file.parent / "elsewhere").mkdir()
    link = file.parent / "elsewhere" / "link.db"
    link.symlink_to(file)
    found = measured(link)
    assert (found.file, found.file_bytes, found.wal_bytes) == (str(link), 5_000, 70)


def test_what_cannot_be_seen_is_unknown(tmp_path: Path):
    found = measured(tmp_path / "elsewhere" / "monitor.db")
    assert (found.file_bytes, found.wal_bytes, found.disk_bytes, found.disk_free) == (None,) * 4
    assert not found.is_open_to_others


def test_file_that_was_deleted_is_missing(file: Path):
    assert not measured(file).is_missing
    file.unlink()
    assert measured(file).is_missing


def test_file_that_is_marked_is_damaged_also_when_a_link_leads_there(file: Path, tmp_path: Path):
    link = tmp_path / "folder" / "link.db"
    link.parent.mkdir()
    link.symlink_to(file)
    assert not measured(link).is_damaged
    set_mark(file, "database disk image is malformed")
    assert measured(file).is_damaged and measured(link).is_damaged


def test_nothing_is_known_of_the_disk_of_a_server():
    assert measure_storage("postgresql+psycopg://me@host/monitor") == Storage()


@pytest.mark.parametrize(
    ("mode", "folder", "is_open"),
    [
        (0o600, 0o755, False),
        (0o640, 0o755, False),
        (0o644, 0o755, True),
        (0o602, 0o755, True),
        (0o644, 0o700, False),
    ],
)
def test_file_is_open_to_others_where_they_can_get_to_it(
    file: Path, mode: int, folder: int, is_open: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("core.health.storage._is_passable", lambda each: _is_passable(each, file))
    file.chmod(mode)
    file.parent.chmod(folder)
    assert measured(file).is_open_to_others == is_open


def _is_passable(folder: Path, file: Path) -> bool:
    """The folders above the test's own are pytest's, which are closed to others."""
    return bool(folder.stat().st_mode & 0o001) if folder == file.parent else True


def test_log_counts_as_much_as_the_file(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.health.storage._is_passable", lambda each: True)
    log = Path(f"{file}-wal")
    log.write_bytes(b"")
    log.chmod(0o644)
    assert measured(file).is_open_to_others


def test_litestream_is_known_by_its_folder(file: Path):
    assert not measured(file).has_litestream
    (file.parent / ".monitor.db-litestream").mkdir()
    assert measured(file).has_litestream
