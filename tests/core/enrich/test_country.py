import csv
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.address import parse_address
from core.enrich.country import (
    CountryDatabase,
    country_name,
    country_of_address,
    country_of_code,
    country_of_time_zone,
    flag,
)
from tests.helpers.country_file import write_database

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / name).open()))


@pytest.mark.parametrize("row", rows("ips.csv"), ids=lambda row: row["ip"][:40])
def test_address_has_a_country(row: dict[str, str]) -> None:
    assert country_of_address(parse_address(row["ip"])) == row["country"]


@pytest.mark.parametrize("row", rows("time_zones.csv"), ids=lambda row: row["time_zone"][:40])
def test_time_zone_has_a_country(row: dict[str, str]) -> None:
    assert country_of_time_zone(row["time_zone"]) == row["country"]


@pytest.mark.parametrize("row", rows("country_codes.csv"), ids=lambda row: row["raw"][:40])
def test_code_is_normalised(row: dict[str, str]) -> None:
    assert country_of_code(row["raw"]) == row["alpha2"]


@pytest.mark.parametrize(
    ("alpha2", "name", "emoji"),
    [
        ("DE", "Germany", "🇩🇪"),
        ("GB", "United Kingdom", "🇬🇧"),
        ("US", "United States", "🇺🇸"),
        ("KR", "South Korea", "🇰🇷"),
        ("BO", "Bolivia", "🇧🇴"),
        ("TW", "Taiwan", "🇹🇼"),
        ("TR", "Turkey", "🇹🇷"),
        ("XK", "Kosovo", "🇽🇰"),
        ("", "Unknown", ""),
        ("XX", "Unknown", ""),
        ("de", "Unknown", ""),
        ("<b>", "Unknown", ""),
    ],
)
def test_country_has_a_name_and_a_flag(alpha2: str, name: str, emoji: str) -> None:
    assert (country_name(alpha2), flag(alpha2)) == (name, emoji)


@settings(deadline=None)
@given(st.text())
def test_nothing_raises(text: str) -> None:
    assert country_of_code(text) in {"", text.strip().upper(), "GB", "GR"}
    country_of_time_zone(text)
    country_name(text)
    flag(text)


# --- a user's own database: the smallest file in MaxMind's format, every address one record


@pytest.mark.parametrize(
    ("record", "country"),
    [
        ({"country": {"iso_code": "FR"}}, "FR"),
        ({"country_code": "fr"}, "FR"),
        ({"country": "FR"}, "FR"),
        ({"country": "France", "country_code": "FR"}, "FR"),
        ({"registered_country": {"iso_code": "FR"}}, "FR"),
        ({"country": {"iso_code": "EU"}}, ""),
        ({"country": {}}, ""),
        ({"city": "Paris"}, ""),
    ],
)
def test_own_database_goes_first(tmp_path: Path, record: dict[str, object], country: str) -> None:
    database = CountryDatabase(write_database(tmp_path / "a.mmdb", record))
    assert database.country(ip_address("80.130.1.1")) == country
    assert country_of_address(ip_address("10.0.0.1"), database) == country


def test_bundled_country_is_used_where_the_own_database_knows_none(tmp_path: Path) -> None:
    database = CountryDatabase(write_database(tmp_path / "a.mmdb", {"city": "x"}))
    assert country_of_address(ip_address("80.130.1.1"), database) == "DE"


@pytest.mark.parametrize("address", ["2002:5082:101::1", "64:ff9b::80.130.1.1"])
def test_own_database_is_asked_for_the_embedded_address(tmp_path: Path, address: str) -> None:
    database = CountryDatabase(write_database(tmp_path / "a.mmdb", {"country_code": "FR"}))
    assert country_of_address(ip_address(address), database) == "FR"


def test_ipv6_address_is_unknown_to_an_ipv4_database(tmp_path: Path) -> None:
    database = CountryDatabase(write_database(tmp_path / "a.mmdb", {"country_code": "FR"}))
    assert database.country(ip_address("2001:638::1")) == ""


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_unreadable_database_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "own.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"own\.mmdb: no"):
        CountryDatabase(path)
