"""The owner's country database is replaced under a running collector."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from itertools import count
from pathlib import Path

import pytest

from collector import background
from collector.http.locator import Locator
from core.client import Client
from core.database import reading
from core.enrich.country import COUNTRY_FILE
from core.health.reading import read_health
from core.health.report import CollectorSigns
from core.health.warnings import find_warnings
from core.moment import from_milliseconds
from core.settings import Settings
from tests.helpers.country_file import write_database
from tests.helpers.running_collector import RunningCollector, view, wait_for

pytestmark = pytest.mark.long

_numbers = count(1)
ADDRESS = "8.8.8.8"
HALF = b"\x00" * 5_000
"""What is there while a file of 10 kB is copied over another: its end, which says what it is, is missing."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_database(tmp_path / "own.mmdb", {"country_code": "FR"})


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "COUNTRY_FILE_EVERY", 0.1)


@pytest.fixture
def collector(
    run_collector: Callable[..., RunningCollector], sqlite_url: str, file: Path
) -> RunningCollector:
    """A collector that finds visitors by this file."""
    return run_collector(
        sqlite_url, geoip_database=file, trusted_proxies=(ip_network("127.0.0.1/32"),)
    )


def country(collector: RunningCollector) -> str:
    """Where a new visitor of always the same address is said to be."""
    visit = f"visit{next(_numbers):011d}"
    collector.post(view(), visit=visit, headers={"X-Forwarded-For": ADDRESS})
    return collector.row("SELECT country FROM visit WHERE id = :id", id=visit)[0]


def put_in_its_place(file: Path, code: str) -> None:
    write_database(file.with_suffix(".new"), {"country_code": code}).replace(file)


def write_over(file: Path, code: str) -> None:
    write_database(file, {"country_code": code})


def cut_short_and_write_over(file: Path, code: str) -> None:
    """As `cp` does it: what has the file mapped into memory dies of its next look."""
    with file.open("r+b") as open_file:
        open_file.truncate(0)
    write_database(file, {"country_code": code})


@pytest.mark.parametrize("replace", [put_in_its_place, write_over, cut_short_and_write_over])
def test_replaced_country_file_is_used_without_a_restart(collector, file, replace):
    assert country(collector) == "FR"

    for code in ("ES", "PT"):
        replace(file, code)
        assert wait_for(lambda code=code: country(collector) == code)


def spoil(file: Path) -> None:
    file.write_bytes(HALF)


@pytest.mark.parametrize("damage", [spoil, Path.unlink, lambda file: os.truncate(file, 0)])
def test_unusable_country_file_leaves_the_one_before_and_is_told(collector, file, caplog, damage):
    damage(file)

    warned = "SELECT count(*) FROM collector_warning WHERE name = :name"
    wait_for(lambda: collector.row(warned, name=COUNTRY_FILE) == (1,))
    assert country(collector) == "FR"
    [told] = [each for each in caplog.messages if "country_file_not_read" in each]
    assert str(file) in told
    assert "cure=" in told
    wait_for(lambda: "country_file_unusable" in codes(collector))

    put_in_its_place(file, "ES")
    wait_for(lambda: country(collector) == "ES")
    wait_for(lambda: is_told_no_more(collector), 60)


def is_told_no_more(collector: RunningCollector) -> bool:
    """A second later each time it is asked."""
    collector.clock.advance(1_000)
    return "country_file_unusable" not in codes(collector)


def codes(collector: RunningCollector) -> set[str]:
    """The warnings of the Health page."""
    now = from_milliseconds(collector.clock.now)
    chosen = Settings(database_url=str(collector.engine.url))
    with reading(collector.engine) as db:
        return {each.code for each in find_warnings(read_health(db, chosen, CollectorSigns(), now))}


def test_file_that_is_still_written_is_not_read_yet(file):
    warnings: list[str] = []
    locator = Locator(file, warnings.append)
    client = Client(ip_address(ADDRESS), ADDRESS, ADDRESS, has_trusted_peer=False)
    for size in range(1_000, 5_000, 1_000):
        file.write_bytes(HALF[:size])
        locator.refresh()
        assert locator.locate(client, "") == "FR"
    write_over(file, "ES")

    for _ in range(2):
        locator.refresh()

    assert locator.locate(client, "") == "ES"
    assert warnings == []
