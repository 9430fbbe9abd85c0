"""Visits that are moved in bites: interrupted, changed meanwhile, by two at once, on a full disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core import schema
from core.database import open_database, reading, sqlite_file, writing
from core.disk_fault import find_disk_fault
from core.migrations import visit_bite, visit_move
from core.moment import utc_now
from core.schema import check_schema, schema_revision, upgrade_schema
from core.upgrade import upgrade_database
from tests.helpers.old_visits import fill, stored
from tests.helpers.small_disk import small_disk

VISITS = 200
BITE = 20
BITES = VISITS // BITE
VIEW = (
    "INSERT INTO page_view (site_id, visit_id, tab, number, viewed_at, path, title, page_context)"
    " VALUES (1, :visit, 'late', :number, 1795000000000, '/late', :title, '')"
)


@pytest.fixture
def engine(bare_database_url, monkeypatch):
    monkeypatch.setattr(visit_bite, "VISITS_A_BITE", BITE)
    engine = open_database(bare_database_url)
    fill(engine, VISITS)
    yield engine
    engine.dispose()


class Interrupted(Exception):
    """Stands for whatever ends an upgrade."""


@contextmanager
def counted(bites: int = 10_000) -> Iterator[list[Any]]:
    """The bites that moved something; after so many the upgrade is interrupted, in the middle of the next one."""
    moved: list[Any] = []

    def move_one(*arguments: Any, **options: Any) -> Any:
        last = visit_bite.move_bite(*arguments, **options)
        if len(moved) == bites:
            raise Interrupted
        if last is not None:
            moved.append(last)
        return last

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(visit_move, "move_bite", move_one)
        yield moved


def interrupt(engine: Engine, bites: int) -> None:
    with counted(bites), pytest.raises(Interrupted):
        upgrade_schema(engine)


def numbers(engine: Engine, table: str) -> dict[str, int]:
    with reading(engine) as db:
        found = db.exec_driver_sql(f"SELECT id, number FROM {table}")
        return dict(found.tuples().all())


def assert_uses_are_right(engine: Engine) -> None:
    with reading(engine) as db:
        named = db.exec_driver_sql(
            "SELECT site_id, page, count(*) FROM page_view_row GROUP BY site_id, page"
        )
        assert sorted(named) == sorted(db.exec_driver_sql("SELECT site_id, id, uses FROM page"))


@pytest.mark.parametrize("bites", [0, 1, 7])
def test_interrupted_upgrade_leaves_the_old_tables_and_goes_on_after_the_last_bite(
    engine, bites, caplog
):
    before = stored(engine)

    interrupt(engine, bites)

    assert stored(engine) == before
    with reading(engine) as db:
        assert schema_revision(db) == "0008"
    moved = numbers(engine, "numbered_visit")
    assert len(moved) == bites * BITE

    with caplog.at_level(logging.INFO, "core.upgrade"), counted() as rest:
        upgrade_schema(engine)

    check_schema(engine)
    assert len(rest) == BITES - bites
    assert numbers(engine, "visit").items() >= moved.items()
    assert stored(engine) == before
    assert_uses_are_right(engine)
    goes_on = f"upgrade_goes_on visits={bites * BITE} of={VISITS}"
    assert (goes_on in caplog.text) == (bites > 0)


@pytest.mark.parametrize("revision", ["0001", "0002", "0004"])
def test_upgrade_of_the_first_versions_goes_on_too(bare_database_url, monkeypatch, revision):
    monkeypatch.setattr(visit_bite, "VISITS_A_BITE", BITE)
    engine = open_database(bare_database_url)
    fill(engine, VISITS, revision)
    interrupt(engine, 7)
    with reading(engine) as db:
        assert schema_revision(db) == revision
    (changed, *_) = numbers(engine, "numbered_visit")
    with writing(engine) as db:
        db.execute(text("UPDATE visit SET page_count = 9 WHERE id = :id"), {"id": changed})
    before = stored(engine)

    with counted() as rest:
        upgrade_schema(engine)

    check_schema(engine)
    assert len(rest) == BITES - 7 + 1  # one more for what has changed
    assert stored(engine) == before
    assert_uses_are_right(engine)
    engine.dispose()


def test_interrupted_in_the_last_transaction_moves_nothing_again(engine, monkeypatch):
    before = stored(engine)

    def fail(_db: object) -> bool:
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(visit_move, "_is_complete", fail)
        upgrade_schema(engine)
    assert stored(engine) == before

    with counted() as rest:
        upgrade_schema(engine)

    assert rest == []
    assert stored(engine) == before


def test_what_an_earlier_version_changes_in_between_is_moved_again(engine):
    interrupt(engine, 7)
    ids = list(numbers(engine, "numbered_visit"))
    assert len(ids) == 7 * BITE
    with writing(engine) as db:
        site_one = "site_id = 1 ORDER BY id LIMIT 1 OFFSET"
        first, second, third, fourth = (
            db.exec_driver_sql(f"SELECT id FROM numbered_visit WHERE {site_one} {at}").scalar_one()
            for at in range(4)
        )
        db.execute(text(VIEW), {"visit": first, "number": 1, "title": "new"})
        for table, column in (
            ("visit_span", "visit_id"),
            ("page_view", "visit_id"),
            ("visit", "id"),
        ):
            db.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": second})
        db.execute(
            text("UPDATE visit SET started_at = 5, page_count = 9 WHERE id = :id"), {"id": third}
        )
        db.execute(
            text("UPDATE visit_span SET until_at = until_at + 1 WHERE visit_id = :id"),
            {"id": fourth},
        )
        db.execute(text("UPDATE visit SET id = 'renamed' WHERE id = :id"), {"id": ids[-1]})
        found = db.exec_driver_sql("SELECT * FROM visit").keys()
        columns = [name for name in found if name != "id"]
        listed = ", ".join(columns)
        db.execute(
            text(
                f"INSERT INTO visit (id, {listed}) SELECT 'early', {listed} FROM visit WHERE id = :id"
            ),
            {"id": third},
        )
    before = stored(engine)

    upgrade_schema(engine)

    check_schema(engine)
    after = stored(engine)
    # Rows without a visit are left behind: those of the one that was renamed.
    gone = [[row for row in rows if ids[-1] not in row] for rows in before]
    assert after == gone
    assert_uses_are_right(engine)
    with reading(engine) as db:
        left = "SELECT count(*) FROM {} WHERE visit NOT IN (SELECT number FROM visit WHERE site_id = {}.site_id)"
        for table in ("page_view_row", "visit_span_row", "visit_tab", "visit_memory"):
            assert db.exec_driver_sql(left.format(table, table)).scalar_one() == 0


def test_new_tables_that_lack_rows_are_made_anew(engine, caplog):
    before = stored(engine)
    interrupt(engine, 7)
    with writing(engine) as db:
        db.exec_driver_sql("DELETE FROM page_view_row WHERE visit < 9")

    upgrade_schema(engine)

    assert stored(engine) == before
    assert "upgrade_begins_anew" in caplog.text


def test_old_tables_that_were_put_back_without_their_triggers_are_moved_anew(engine):
    interrupt(engine, 7)
    on_table = " ON page_view" if engine.dialect.name == "postgresql" else ""
    with writing(engine) as db:
        db.exec_driver_sql(f"DROP TRIGGER changed_visit_page_view_update{on_table}")
        db.exec_driver_sql("UPDATE page_view SET title = 'put back'")
    before = stored(engine)

    with counted() as bites:
        upgrade_schema(engine)

    assert len(bites) == BITES
    assert stored(engine) == before


class OldWriter:
    """A collector of the version before, which goes on: each of its page views is one transaction."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[int] = []
        self._engine = open_database(url)
        with reading(self._engine) as db:
            query = "SELECT id FROM visit WHERE site_id = 1 ORDER BY id"
            self._visits = db.exec_driver_sql(query).scalars().all()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def await_more(self) -> None:
        """Until another one was acknowledged, or none will be any more."""
        known, latest = len(self.acknowledged), monotonic() + 20
        while len(self.acknowledged) == known and self._thread.is_alive():
            assert monotonic() < latest
            sleep(0.005)

    def end(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._engine.dispose()

    def _write(self) -> None:
        for number in count(1):
            visit = self._visits[number % len(self._visits)]
            try:
                with writing(self._engine) as db:
                    row = {"visit": visit, "number": number, "title": f"Late {number % 3}"}
                    db.execute(text("UPDATE visit SET page_count = 4 WHERE id = :visit"), row)
                    db.execute(text(VIEW), row)
            except SQLAlchemyError:  # the tables of its version are gone
                return
            self.acknowledged.append(number)
            sleep(0.002)


def test_nothing_is_lost_that_an_earlier_version_writes_during_the_upgrade(
    engine, bare_database_url, monkeypatch
):
    writer = OldWriter(bare_database_url)
    begin, is_complete = schema._upgrading, visit_move._is_complete

    @contextmanager
    def begin_slowly(engine: Engine) -> Iterator[Any]:
        with begin(engine) as db:
            yield db
        writer.await_more()

    def look_slowly(db: Any) -> bool:
        sleep(0.5)  # whoever can write now, writes what is dropped
        return is_complete(db)

    monkeypatch.setattr(schema, "_upgrading", begin_slowly)
    monkeypatch.setattr(visit_move, "_is_complete", look_slowly)
    writer.await_more()

    upgrade_schema(engine)
    writer.end()

    check_schema(engine)
    assert len(writer.acknowledged) > BITES
    with reading(engine) as db:
        late = "SELECT number FROM page_view WHERE path = '/late' ORDER BY number"
        assert db.exec_driver_sql(late).scalars().all() == writer.acknowledged
    assert_uses_are_right(engine)


@pytest.mark.parametrize("bare_database_url", ["postgres"], indirect=True)
def test_two_that_start_at_once_move_each_visit_once(engine, bare_database_url):
    """On SQLite the serving lock lets only one collector start."""
    before = stored(engine)
    other = open_database(bare_database_url)

    with counted() as bites:
        threads = [
            threading.Thread(target=upgrade_schema, args=(each,)) for each in (engine, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    other.dispose()

    check_schema(engine)
    assert len(bites) == BITES
    assert stored(engine) == before


def test_full_disk_leaves_the_old_tables_and_names_the_cure(tmp_path, monkeypatch):
    monkeypatch.setattr(visit_bite, "VISITS_A_BITE", BITE)
    with small_disk(tmp_path / "disk", "24m") as disk:
        engine = open_database(f"sqlite:///{disk.folder}/monitor.db")
        fill(engine, VISITS)
        before = stored(engine)
        interrupt(engine, 3)
        disk.fill()

        with pytest.raises(OperationalError) as fault:
            upgrade_schema(engine)

        found = find_disk_fault(fault.value)
        assert found is not None
        assert found.line.startswith(f"{disk.folder} is full: make room there")
        assert stored(engine) == before
        disk.make_room()
        with counted() as bites:
            upgrade_schema(engine)
        assert len(bites) <= BITES - 3
        assert stored(engine) == before
        engine.dispose()


def test_log_stays_small_and_dropped_text_leaves_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(visit_bite, "VISITS_A_BITE", BITE)
    engine = open_database(f"sqlite:///{tmp_path}/monitor.db")
    file = sqlite_file(str(engine.url))
    assert file is not None
    fill(engine, 3_000)
    with writing(engine) as db:
        db.exec_driver_sql('UPDATE visit SET memory = \'{"word":"remembered"}\'')
    schema.empty_log(engine)
    size = file.stat().st_size
    log, sizes = Path(f"{file}-wal"), [0]
    event.listen(engine, "commit", lambda _: sizes.append(log.stat().st_size))

    upgrade_database(engine, utc_now())

    assert max(sizes) < size / 4
    assert b"remembered" not in file.read_bytes()
    with reading(engine) as db:
        assert db.exec_driver_sql("PRAGMA freelist_count").scalar_one() == 0
        assert db.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
    engine.dispose()
