"""Countries: from a code, a time zone or an address to ISO 3166-1 alpha-2, and their names.

Everywhere "" means unknown.
"""

import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import maxminddb
import pycountry
from maxminddb import MODE_AUTO, MODE_FD

from core.enrich.address import Address, embedded_ipv4

try:  # a compiled wheel that does not exist for musl systems
    from iptocc import country_code as _bundled_country
except ImportError:  # pragma: no cover
    _bundled_country = None

UNKNOWN_NAME = "Unknown"

_OWN_FILES = Path("/proc/self/fd")
"""The files that this process has open, by their numbers."""

COUNTRY_FILE = "country_file"
"""The name of the warning that the country database was replaced by what cannot be read."""

_ALIASES = {"UK": "GB", "EL": "GR"}
_KOSOVO = "XK"
# Short names where ISO's are formal, inverted or not what people write.
_NAMES = {
    "BN": "Brunei",
    "BQ": "Caribbean Netherlands",
    "CC": "Cocos Islands",
    "CD": "DR Congo",
    "CG": "Congo",
    "CI": "Côte d’Ivoire",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "HK": "Hong Kong",
    "KP": "North Korea",
    "KR": "South Korea",
    "LA": "Laos",
    "MF": "Saint Martin",
    "MO": "Macao",
    "PS": "Palestine",
    "RU": "Russia",
    "SH": "Saint Helena",
    "SX": "Sint Maarten",
    "SY": "Syria",
    "TR": "Turkey",
    "UM": "U.S. Outlying Islands",
    "VA": "Vatican City",
    "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands",
    _KOSOVO: "Kosovo",
}
# Old names of zones that tzdata links to a neighbour's zone with the same clock.
_ZONE_FIXES = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Antarctica/South_Pole": "AQ",
    "Atlantic/Jan_Mayen": "SJ",
    "Iceland": "IS",
    "Pacific/Johnston": "UM",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}
# Clocks, not places, although tzdata links them to a city.
_CLOCKS = frozenset({"CET", "EET", "EST", "HST", "MET", "MST", "WET"})


def country_of_code(raw: str) -> str:
    """Alpha-2 of a code from a header or a database; "" for none, EU, AP, T1, XX and the like."""
    code = raw.strip().upper() if raw.isascii() else ""
    code = _ALIASES.get(code, code)
    return code if code in _country_names() else ""


def country_of_time_zone(zone: str) -> str:
    """Alpha-2 of an IANA time zone, old names included; "" for UTC, Etc/*, EST, CET, unknown."""
    return _zone_countries().get(zone.strip().lower(), "")


# The library's own annotations are incomplete.
_open_reader = cast(
    "Callable[[str | BinaryIO, int], Any]",
    maxminddb.open_database,  # pyright: ignore[reportUnknownMemberType]
)


class CountryDatabase:
    """A user's own country database: GeoLite2, DB-IP, IPinfo or ip-location-db, as .mmdb.

    It is a copy in memory: a mapped file that somebody writes over or cuts short ends the process. version:
    of the file that was read.
    """

    def __init__(self, path: str | Path) -> None:
        """Read the file. Raises ValueError that says what is wrong with it."""
        try:
            with Path(path).open("rb") as file:
                self.version = _version(os.fstat(file.fileno()))
                self._reader = _open_copy(file)
        except FileNotFoundError:
            raise ValueError(f"{path}: no such file") from None
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise ValueError(f"{path}: not a readable mmdb file ({error})") from error

    def country(self, address: Address) -> str:
        """Alpha-2 of the address, or "": not listed, IPv6 in an IPv4 file, a damaged record."""
        try:
            record: object = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return ""
        return _country_of_record(record)


def _open_copy(file: BinaryIO) -> Any:
    """A reader of a copy that nobody else has: by the compiled reader, which wants a file, where the system has
    files in memory. A look-up takes it 3 us, the one in Python 90 to 140 (32 levels deep)."""
    if not (hasattr(os, "memfd_create") and _OWN_FILES.is_dir()):
        return _open_reader(file, MODE_FD)
    with os.fdopen(os.memfd_create("country"), "wb") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        return _open_reader(str(_OWN_FILES / str(copy.fileno())), MODE_AUTO)


class FileVersion(NamedTuple):
    """What tells one content of a file from another: a file that took its place, or was written over."""

    inode: int
    size: int
    written_at: int


def version_of(file: Path) -> FileVersion:
    """The version of a file. Raises OSError."""
    return _version(file.stat())


def _version(found: os.stat_result) -> FileVersion:
    return FileVersion(found.st_ino, found.st_size, found.st_mtime_ns)


def country_of_address(address: Address | None, database: CountryDatabase | None = None) -> str:
    """Alpha-2 of an address: from the user's database, else from the bundled registry data.

    An IPv6 address of 6to4, Teredo or NAT64 is where the IPv4 address in it is.
    Addresses that are not public (private, loopback, link-local, documentation) have none,
    unless the user's database says otherwise.
    """
    if address is None:
        return ""
    address = embedded_ipv4(address) or address
    country = database.country(address) if database else ""
    if country or _bundled_country is None or not address.is_global or address.is_multicast:
        return country
    return country_of_code(_bundled_country(str(address)) or "")


def country_name(alpha2: str) -> str:
    """The English short name, "Unknown" for "" and for what is no country."""
    return _country_names().get(alpha2, UNKNOWN_NAME)


def flag(alpha2: str) -> str:
    """The flag as a pair of regional indicators, "" for an unknown country."""
    if alpha2 not in _country_names():
        return ""
    return "".join(chr(ord("🇦") + ord(letter) - ord("A")) for letter in alpha2)


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    countries = cast("list[Any]", list(pycountry.countries))
    names = {c.alpha_2: getattr(c, "common_name", None) or c.name for c in countries}
    return names | _NAMES


@lru_cache(maxsize=1)
def _zone_countries() -> dict[str, str]:
    """Lower-case zone -> alpha-2, from zone.tab and the links in tzdata.zi."""
    directory = resources.files("tzdata") / "zoneinfo"
    rows = (directory / "zone.tab").read_text().splitlines()
    fields = [row.split("\t") for row in rows if not row.startswith("#")]
    zones = {zone: country for country, _, zone, *_ in fields}
    for row in (directory / "tzdata.zi").read_text().splitlines():
        kind, _, link = row.partition(" ")
        target, _, name = link.partition(" ")
        if kind == "L" and target in zones and name not in _CLOCKS:
            zones.setdefault(name, zones[target])
    return {zone.lower(): country for zone, country in (zones | _ZONE_FIXES).items()}


def _country_of_record(record: object) -> str:
    if not isinstance(record, dict):
        return ""
    fields = cast("dict[str, object]", record)
    for key in ("country", "country_code", "registered_country"):
        value = fields.get(key)
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get("iso_code")
        if isinstance(value, str) and (country := country_of_code(value)):
            return country
    return ""
