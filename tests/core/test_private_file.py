"""What holds visitors' data is readable by its owner only, from the first moment."""

import os
from pathlib import Path

import pytest

from core.database import files_of, open_database, reading, writing
from core.private_file import create_private, tighten
from core.schema import upgrade_schema
from core.serving_lock import serving_lock
from tests.helpers.root_rights import need_root


@pytest.fixture(params=[0o000, 0o022], ids=["umask 0", "umask 022"])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(file):
    return file.stat().st_mode & 0o777


def modes(folder):
    return {file.name: oct(mode(file)) for file in folder.iterdir()}


def test_new_database_its_log_and_its_lock_are_private(umask, tmp_path):
    file = tmp_path / "data" / "monitor.db"
    url = f"sqlite:///{file}"

    with serving_lock(url):
        engine = open_database(url)
        upgrade_schema(engine)
        with reading(engine):
            found = modes(file.parent)
        engine.dispose()

    assert mode(file.parent) == 0o700
    assert found == dict.fromkeys(
        ("monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.lock"), "0o600"
    )


def test_folder_that_exists_keeps_its_mode(umask, tmp_path):
    tmp_path.chmod(0o755)
    engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    with writing(engine):
        pass
    engine.dispose()

    assert mode(tmp_path) == 0o755


def test_file_that_exists_is_left_as_it_is(umask, tmp_path):
    file = tmp_path / "monitor.db"
    file.write_text("here")
    file.chmod(0o640)

    create_private(file)

    assert (file.read_text(), mode(file)) == ("here", 0o640)


def test_files_of_an_earlier_version_are_tightened(umask, tmp_path):
    names = {"m[1].db", "m[1].db-wal", "m[1].db.lock", "m[1].db.before-0007"}
    for name in (*names, "m1.db", "other.db"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o644)

    assert tighten(files_of(tmp_path / "m[1].db")) == []

    expected = {name: "0o600" if name in names else "0o644" for name in modes(tmp_path)}
    assert modes(tmp_path) == expected


def test_file_that_cannot_be_tightened_is_named():
    """Of the kernel's files nobody changes the mode."""
    file = Path("/proc/self/status")

    assert tighten([file, Path("/proc/no such file")]) == [file]


def test_files_that_root_makes_are_of_the_folders_owner(tmp_path):
    need_root("to make files for somebody else")
    os.chown(tmp_path, 65_534, 65_534)
    url = f"sqlite:///{tmp_path / 'monitor.db'}"

    with serving_lock(url):
        engine = open_database(url)
        upgrade_schema(engine)
        with reading(engine):
            owners = {
                file.name: (file.stat().st_uid, file.stat().st_gid) for file in tmp_path.iterdir()
            }
        engine.dispose()

    assert owners == dict.fromkeys(
        ("monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.lock"), (65_534, 65_534)
    )
