"""The country of a client: the header of a trusted proxy, the owner's database, the bundled one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from core.client import Client
from core.command_error import CommandError
from core.enrich.address import Address
from core.enrich.country import CountryDatabase, country_of_address, country_of_code
from core.settings import Settings

_CACHED_ADDRESSES = 16_384

Locate = Callable[[Client, str], str]
"""Alpha-2 of a client and of the country header's value; "" when it is not known."""


def open_country_database(settings: Settings) -> CountryDatabase | None:
    """The owner's own country database, or None. Raises CommandError."""
    file = settings.geoip_database
    try:
        return CountryDatabase(file) if file else None
    except ValueError as fault:
        raise CommandError(f"MONITOR_GEOIP_DATABASE cannot be used: {fault}.") from None


def make_locator(settings: Settings) -> Locate:
    """The function that finds countries. Addresses are cached in memory only."""
    database = open_country_database(settings)

    @lru_cache(maxsize=_CACHED_ADDRESSES)
    def of_address(address: Address | None) -> str:
        return country_of_address(address, database)

    def locate(client: Client, header: str) -> str:
        return (country_of_code(header) if header else "") or of_address(client.address)

    return locate
