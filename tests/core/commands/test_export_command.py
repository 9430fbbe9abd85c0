"""python -m core export: files for spreadsheets and programs, whole or not there."""

from __future__ import annotations

import csv
import io
import stat
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import make_url

from core.backups import list_backups
from core.database import open_database, reading, writing
from core.exports import csv_file
from core.sites import add_site
from tests.helpers.chat_rows import add_visit, ask, opened

MIDNIGHT = datetime(2026, 11, 21, 23, tzinfo=UTC)  # in Berlin
FORMULA = "=1+1"
DAY = ("export", "--site", "shop", "--from", "2026-11-22", "--to", "2026-11-22")


@pytest.fixture
def shop(database_url):
    """A shop in Berlin with a visit on each of three days, of which the middle one has a chat."""
    engine = open_database(database_url)
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", time_zone="Europe/Berlin", now=MIDNIGHT)
        for name, at in (
            ("before", -1),
            ("first", 0),
            ("last", 24 * 3_600_000 - 1),
            ("after", 24 * 3_600_000),
        ):
            add_visit(
                db,
                name,
                site.id or 0,
                started_at=MIDNIGHT + timedelta(milliseconds=at),
                current_title=FORMULA,
                attributes={"name": "Ada"},
            )
        ask(db, opened(db, "first", site_id=site.id), FORMULA)
    engine.dispose()
    return database_url


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_days_are_those_of_the_site_and_moments_are_utc(run, shop):
    done = run(*DAY, url=shop)
    assert done.returncode == 0
    rows = rows_of(done.stdout)
    assert [row["id"] for row in rows] == ["first", "last"]
    assert rows[0]["started_at"] == "2026-11-21T23:00:00.000Z"
    assert rows[0]["attributes"] == '{"name":"Ada"}'
    assert "2 rows of visits" in done.stderr and "Europe/Berlin" in done.stderr


def test_no_cell_is_run_by_a_spreadsheet(run, shop):
    assert rows_of(run(*DAY, url=shop).stdout)[0]["current_title"] == f"'{FORMULA}"


def test_words_of_visitors_are_left_out_unless_asked_for(run, shop):
    messages = (*DAY, "--table", "messages")
    assert FORMULA not in run(*messages, url=shop).stdout
    texts = [row["text"] for row in rows_of(run(*messages, "--with-messages", url=shop).stdout)]
    assert f"'{FORMULA}" in texts


def test_parquet_keeps_the_types(run, shop, tmp_path):
    file = tmp_path / "visits.parquet"
    done = run(*DAY, "--format", "parquet", "--output", str(file), url=shop)
    assert (done.returncode, done.stdout) == (0, "")
    frame = pd.read_parquet(file)
    assert frame["id"].tolist() == ["first", "last"]
    assert frame["started_at"].iloc[0] == pd.Timestamp(MIDNIGHT)
    assert frame["current_title"].tolist() == [FORMULA] * 2
    assert frame["page_count"].dtype == "int64"


def test_file_is_private_and_not_overwritten_without_force(run, shop, tmp_path):
    file = tmp_path / "visits.csv"
    assert run(*DAY, "--output", str(file), url=shop).returncode == 0
    whole = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run(*DAY, "--output", str(file), "--table", "counts", url=shop)
    assert again.returncode == 1 and "--force" in again.stderr
    assert file.read_bytes() == whole
    assert (
        run(*DAY, "--output", str(file), "--table", "counts", "--force", url=shop).returncode == 0
    )
    assert file.read_bytes() != whole
    assert [each.name for each in tmp_path.glob("visits*")] == ["visits.csv"]


def test_file_that_fails_half_way_is_not_there(run, shop, tmp_path, monkeypatch):
    def fail(_self, _rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv_file.CsvFile, "write", fail)
    done = run(*DAY, "--output", str(tmp_path / "visits.csv"), url=shop)
    assert done.returncode == 1 and "No space left" in done.stderr
    assert list(tmp_path.glob("visits*")) == []
    assert recorded_files(shop) == []


def test_who_forgets_a_visitor_hears_of_the_file(run, shop, tmp_path):
    file = tmp_path / "visits.csv"
    run(*DAY, "--output", str(file), url=shop)
    assert recorded_files(shop) == [str(file)]
    named = ("--site", "shop", "--visit", "first", "--yes")
    assert str(file) in run("visitor", "forget", *named, url=shop).stdout


def recorded_files(url):
    engine = open_database(url)
    with reading(engine) as db:
        files = [each.file for each in list_backups(db)]
    engine.dispose()
    return files


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--format", "parquet"), "--output"),
        (("--to", "2026-11-21"), "before --from"),
        (("--to", "9999-12-31"), "days of the years"),
        (("--site", "nothing"), "nothing"),
        (("--output", "/nowhere/at/all.csv"), "no folder"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_cure(run, shop, options, why):
    done = run(*DAY, *options, url=shop)
    assert done.returncode and why in done.stderr


def test_database_itself_is_never_overwritten(run, sqlite_url):
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        add_site(db, name="Shop", key="shop", now=MIDNIGHT)
    engine.dispose()
    file = make_url(sqlite_url).database or ""
    done = run(*DAY, "--output", file, "--force")
    assert done.returncode == 1 and "belongs to the database" in done.stderr
