"""Every setting, read from the environment in one place."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_LOOPBACKS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that mean every address, and where this machine reaches them."""
_IN_MEMORY = ":memory:"
"""Each process would have a database of its own."""
_MAY_HOLD_PASSWORD = re.compile("@|password", re.IGNORECASE)
_SECRETS = ("metrics_token",)
_RATE = re.compile(r"(\d{1,6})/s(?: burst (\d{1,6}))?")


class SettingsError(Exception):
    """A setting cannot be used; the text names it, its value and the cure."""


class RateLimit(NamedTuple):
    """Requests a second that one address may send, and how many at once after a pause."""

    per_second: int
    burst: int


class Settings(BaseSettings):
    """The settings, each from the variable MONITOR_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MONITOR_", frozen=True, extra="ignore")

    database_url: str = f"sqlite:///{PROJECT_ROOT / 'data' / 'monitor.db'}"
    collector_host: str = "127.0.0.1"
    collector_port: int = Field(default=8600, ge=1, le=65535)
    public_url: str = ""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    country_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    geoip_database: Path | None = None
    retention_days: int = Field(default=90, ge=0, le=36500)
    chat_retention_days: int = Field(default=30, ge=0, le=36500)
    demo: bool = True
    count_bots: bool = False
    rate_limit: Annotated[RateLimit | None, NoDecode] = RateLimit(10, 40)
    streams: int = Field(default=10_000, ge=1)
    streams_per_address: int = Field(default=50, ge=1)
    metrics_token: str = ""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        url = _parsed(value)
        if url is None or url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise ValueError
        if url.drivername == "sqlite" and _IN_MEMORY in (url.database or _IN_MEMORY):
            raise ValueError
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
            raise ValueError
        return value.rstrip("/")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(
            ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip()
        )

    @field_validator("geoip_database", mode="before")
    @classmethod
    def _existing_file(cls, value: Any) -> Any:
        if value in (None, ""):
            return None
        if not Path(value).is_file():
            raise ValueError
        return value

    @field_validator("rate_limit", mode="before")
    @classmethod
    def _rate(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.strip().lower() == "off":
            return None
        match = _RATE.fullmatch(value.strip())
        if match is None or int(match[1]) == 0:
            raise ValueError
        return RateLimit(int(match[1]), int(match[2] or match[1]))

    @property
    def public_address(self) -> str:
        """How browsers reach the collector: scheme, host and port, without a closing slash."""
        return self.public_url or f"http://{self.local_host}:{self.collector_port}"

    @property
    def public_path(self) -> str:
        """The path below which browsers reach the collector: "" or for example "/monitor"."""
        return urlsplit(self.public_url).path

    @property
    def local_host(self) -> str:
        """The collector's host as this machine reaches it, as it is written in a URL."""
        host = _LOOPBACKS.get(self.collector_host, self.collector_host)
        return f"[{host}]" if ":" in host else host


CURES = {
    "database_url": "write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
    "collector_host": "write an address to listen on, for example 127.0.0.1",
    "collector_port": "write a port from 1 to 65535, for example 8600",
    "public_url": "write the address that browsers reach, for example https://monitor.example "
    "or https://shop.example/monitor",
    "trusted_proxies": "write addresses or networks with commas, for example 10.0.0.1,10.1.0.0/16",
    "country_header": "write the name of a header, for example CF-IPCountry",
    "geoip_database": "write the path of an mmdb file that exists",
    "retention_days": "write a whole number of days, for example 90, or 0 to keep everything",
    "chat_retention_days": "write a whole number of days, for example 30, or 0 to keep everything",
    "demo": "write on or off",
    "count_bots": "write on or off",
    "rate_limit": "write for example '10/s burst 40', or off",
    "streams": "write a whole number from 1, for example 10000",
    "streams_per_address": "write a whole number from 1, for example 50",
    "metrics_token": "write a secret word",
}


@cache
def settings() -> Settings:
    """The settings of this process; SettingsError names the first one that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise SettingsError(
            f"MONITOR_{name.upper()} is '{_shown(name, fault['input'])}': {CURES[name]}."
        ) from None


def _shown(name: str, value: object) -> object:
    """The value as it may appear in a log: without a password."""
    if name in _SECRETS:
        return "***"
    if name != "database_url" or not _MAY_HOLD_PASSWORD.search(str(value)):
        return value
    url = _parsed(str(value))
    if url is None or not url.host or str(value).count("@") > 1:
        return "***"
    return url.set(query={}).render_as_string(hide_password=True)


def _parsed(value: str) -> URL | None:
    try:
        return make_url(value)
    except (ArgumentError, ValueError):
        return None
