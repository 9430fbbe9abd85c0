"""The copies of the database that are known of."""

from datetime import timedelta
from pathlib import Path

from core.backups import BackupKind, forget_missing, latest_backup, list_backups, record_backup
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

    assert {each.file for each in list_backups(db)} == {str(there), str(tmp_path / "gone-backup")}
