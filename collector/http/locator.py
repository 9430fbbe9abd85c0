"""The country of a client: the header of a trusted proxy, the owner's database, the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from core.client import Client
from core.command_error import CommandError
from core.enrich.address import Address
from core.enrich.country import (
    COUNTRY_FILE,
    CountryDatabase,
    FileVersion,
    country_of_address,
    country_of_code,
    version_of,
)
from core.settings import Settings

_CACHED_ADDRESSES = 16_384

Locate = Callable[[Client, str], str]
"""Alpha-2 of a client and of the country header's value; "" when it is not known."""

_NOT_READ = (
    "country_file_not_read file='%s' fault='%s' cure='put a whole mmdb file there; until then countries are found "
    "by the one before'"
)
_log = logging.getLogger("collector.locator")


class Locator:
    """Finds countries, and follows the owner's file: one that takes its place, or is written over, is read.

    warn: is told at each look while the file cannot be read; what was read before is used on.
    """

    def __init__(self, file: Path | None, warn: Callable[[str], None]) -> None:
        self._file = file
        self._warn = warn
        self._database = _read(file)
        self._seen: FileVersion | None = self._database.version if self._database else None
        self._refused: FileVersion | None = None
        self._is_failing = False
        self._of_address = _cached(self._database)

    def locate(self, client: Client, header: str) -> str:
        """Alpha-2 of a client, or ""; the header goes first. Addresses are cached in memory only."""
        return (country_of_code(header) if header else "") or self._of_address(client.address)

    def refresh(self) -> None:
        """Look at the file; a new one is read once it has stayed as it is for a whole look.

        Until then it may still be written. On a thread: the event loop goes on with the old one meanwhile.
        """
        if self._file is None or self._database is None:
            return
        try:
            found = version_of(self._file)
        except OSError as fault:
            self._tell(self._file, fault.strerror or fault)
            return
        has_settled, self._seen = found == self._seen, found
        if found == self._database.version:
            self._is_failing = False
        elif found == self._refused:
            self._warn(COUNTRY_FILE)
        elif has_settled:
            self._read_anew(self._file, found)

    def _read_anew(self, file: Path, found: FileVersion) -> None:
        try:
            self._database = CountryDatabase(file)
        except ValueError as fault:
            self._refused = found
            self._tell(file, fault)
            return
        self._of_address = _cached(self._database)
        self._is_failing = False
        _log.info("country_file_read file='%s'", file)

    def _tell(self, file: Path, fault: object) -> None:
        self._warn(COUNTRY_FILE)
        if not self._is_failing:
            self._is_failing = True
            _log.warning(_NOT_READ, file, fault)


def open_country_database(settings: Settings) -> CountryDatabase | None:
    """The owner's own country database, or None. Raises CommandError."""
    return _read(settings.geoip_database)


def _read(file: Path | None) -> CountryDatabase | None:
    try:
        return CountryDatabase(file) if file else None
    except ValueError as fault:
        raise CommandError(f"MONITOR_GEOIP_DATABASE cannot be used: {fault}.") from None


def _cached(database: CountryDatabase | None) -> Callable[[Address | None], str]:
    """A cache of its own for each database: nothing that an older one has said is left."""

    @lru_cache(maxsize=_CACHED_ADDRESSES)
    def of_address(address: Address | None) -> str:
        return country_of_address(address, database)

    return of_address
