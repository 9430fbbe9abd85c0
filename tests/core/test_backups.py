"""The copies of the database that are known of."""

from datetime import timedelta
from pathlib import Path

from core.backups import (
    GONE_FORGOTTEN_AFTER,
    BackupKind,
    forget_missing,
    latest_backup,
    list_backups,
    record_backup,
)
from tests.helpers.chat_rows import NOW

HOUR = timedelta(hours=1)


def test_database_that_was_never_copied_has_no_backup(db):
    assert list_backups(db) == []
    assert latest_backup(db) is None


def test_copies_are_listed_the_newest_first(db):
    record_backup(db, BackupKind.BACKUP, Path("/b/1.db"), 10, NOW - HOUR)
    record_backup(db, BackupKind.UPGRADE, Path("/b/3.db"), 30, NOW)
    record_backup(db, BackupKind.BACKUP, Path("/b/2.db"), 2**40, NOW - HOUR)

    found = [(each.kind, each.file, each.size, each.made_at) for each in list_backups(db)]

    assert found == [
        ("upgrade", "/b/3.db", 30, NOW),
        ("backup", "/b/2.db", 2**40, NOW - HOUR),
        ("backup", "/b/1.db", 10, NOW - HOUR),
    ]


def test_latest_backup_is_one_that_the_owner_made(db):
    record_backup(db, BackupKind.BACKUP, Path("/b/1.db"), 10, NOW - HOUR)
    record_backup(db, BackupKind.UPGRADE, Path("/b/2.db"), 20, NOW)
    record_backup(db, BackupKind.RESTORE, Path("/b/3.db"), 30, NOW)

    latest = latest_backup(db)

    assert latest is not None
    assert latest.file == "/b/1.db"


def test_copy_takes_the_place_of_the_one_that_it_has_overwritten(db):
    record_backup(db, BackupKind.BACKUP, Path("/b/1.db"), 10, NOW - HOUR)
    record_backup(db, BackupKind.BACKUP, Path("/b/1.db"), 20, NOW)

    assert [each.size for each in list_backups(db)] == [20]


def test_copy_beside_the_database_is_forgotten_when_it_is_deleted(db, tmp_path):
    there = tmp_path / "monitor.db.before-0007"
    there.touch()
    record_backup(db, BackupKind.UPGRADE, there, 10, NOW)
    for kind in BackupKind:
        record_backup(db, kind, tmp_path / f"gone-{kind}", 10, NOW)

    forget_missing(db)

    owners = {str(tmp_path / "gone-backup"), str(tmp_path / "gone-export")}
    assert {each.file for each in list_backups(db)} == {str(there), *owners}


def test_copy_that_was_moved_long_ago_is_forgotten_at_the_next_one(db, tmp_path):
    kept = tmp_path / "kept.db"
    kept.touch()
    long_ago = NOW - GONE_FORGOTTEN_AFTER - HOUR
    record_backup(db, BackupKind.BACKUP, kept, 10, long_ago)
    for number in range(20):
        gone = tmp_path / f"gone-{number}.db"
        record_backup(db, BackupKind.BACKUP, gone, 10, long_ago + number * HOUR / 10)

    record_backup(db, BackupKind.BACKUP, tmp_path / "new.db", 10, NOW)

    files = {Path(each.file).name for each in list_backups(db)}
    assert files == {"new.db", "kept.db", *(f"gone-{number}.db" for number in range(10, 20))}


def test_last_copy_that_the_owner_made_is_not_forgotten(db):
    long_ago = NOW - GONE_FORGOTTEN_AFTER - HOUR
    record_backup(db, BackupKind.BACKUP, Path("/b/1.db"), 10, long_ago)
    record_backup(db, BackupKind.UPGRADE, Path("/b/2.db"), 20, NOW)

    latest = latest_backup(db)

    assert latest is not None
    assert latest.made_at == long_ago
