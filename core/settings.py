"""Every setting, read from the environment in one place."""

from __future__ import annotations

import logging
import os
import re
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.log_format import LogFormat
from core.setting_names import misspelt, without_effect

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_LOOPBACKS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that mean every address, and where this machine reaches them."""
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_IN_MEMORY = ":memory:"
"""Each process would have a database of its own."""
_MAY_HOLD_PASSWORD = re.compile("@|password", re.IGNORECASE)
_SECRETS = ("metrics_token", "oidc_client_secret")
_ADDRESSES = ("database_url", "read_database_url")
"""Settings that may hold a password."""
_RATE = re.compile(r"([0-9]{1,6})/(s|min)(?: burst ([0-9]{1,6}))?")
_SECONDS = {"s": 1, "min": 60}
_SQLITE_FILE = re.compile(r"^sqlite:///(?!file:)(.+)$", re.DOTALL)
_STREAMLIT = {
    "dashboard_host": "STREAMLIT_SERVER_ADDRESS",
    "dashboard_port": "STREAMLIT_SERVER_PORT",
}
"""Streamlit's own variables, which count where ours are not set."""


class SettingsError(Exception):
    """A setting cannot be used; the text names it, its value and the cure."""

    exit_code = os.EX_CONFIG
    """What a service manager knows by that a restart is no cure."""


class RateLimit(NamedTuple):
    """How many a second one address may send or open, and how many at once after a pause."""

    per_second: float
    burst: int


def _ours_or_streamlits(name: str) -> AliasChoices:
    return AliasChoices(f"MONITOR_{name.upper()}", _STREAMLIT[name])


class Settings(BaseSettings):
    """The settings, each from the variable MONITOR_ and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="MONITOR_", frozen=True, extra="ignore", populate_by_name=True
    )

    database_url: str = f"sqlite:///{PROJECT_ROOT / 'data' / 'monitor.db'}"
    read_database_url: str = ""
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
    new_visits: Annotated[RateLimit | None, NoDecode] = RateLimit(2, 300)
    streams: int = Field(default=10_000, ge=1)
    streams_per_address: int = Field(default=50, ge=1)
    metrics_token: str = ""
    log_format: LogFormat = LogFormat.TEXT
    dashboard_url: str = ""
    pages_dir: Path = PROJECT_ROOT / "data" / "pages"
    dashboard_host: str = Field(
        default="127.0.0.1", min_length=1, validation_alias=_ours_or_streamlits("dashboard_host")
    )
    dashboard_port: int = Field(
        default=8501, ge=1, le=65535, validation_alias=_ours_or_streamlits("dashboard_port")
    )
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_allowed: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_trust_emails: bool = False
    oidc_role_claim: str = ""
    sign_in_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        url = _parsed(value)
        if url is None or url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise ValueError
        if url.drivername == "sqlite" and _IN_MEMORY in (url.database or _IN_MEMORY):
            raise ValueError
        return _SQLITE_FILE.sub(lambda file: f"sqlite:///{below_project(file[1])}", value)

    @field_validator("read_database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        url = _parsed(value) if value else None
        if value and (url is None or url.drivername != "postgresql+psycopg"):
            raise ValueError
        return value

    @field_validator("public_url", "dashboard_url", "oidc_issuer")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
            raise ValueError
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _cannot_be_overheard(cls, value: str) -> str:
        if value.startswith("http:") and urlsplit(value).hostname not in _THIS_MACHINE:
            raise ValueError
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(
            ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip()
        )

    @field_validator("oidc_allowed", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().lower() for part in value.split(",") if part.strip())

    @field_validator("geoip_database", mode="before")
    @classmethod
    def _existing_file(cls, value: Any) -> Any:
        if value in (None, ""):
            return None
        file = below_project(value)
        try:
            is_there = file.is_file()
        except OSError:  # its name is too long, or a folder of it may not be entered
            is_there = False
        if not is_there:
            raise ValueError
        return file

    @field_validator("pages_dir", mode="before")
    @classmethod
    def _any_folder(cls, value: Any) -> Any:
        """It may be made later; a file is none."""
        folder = below_project(value)
        try:
            is_file = folder.is_file()
        except OSError:  # as for a file
            is_file = True
        if not value or is_file:
            raise ValueError
        return folder

    @field_validator("rate_limit", "new_visits", mode="before")
    @classmethod
    def _rate(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.strip().lower() == "off":
            return None
        match = _RATE.fullmatch(value.strip())
        if match is None:
            raise ValueError
        number, burst = int(match[1]), int(match[3] or match[1])
        if not number or not burst:  # nobody would ever be let in
            raise ValueError
        return RateLimit(number / _SECONDS[match[2]], burst)

    @property
    def public_address(self) -> str:
        """How browsers reach the collector: scheme, host and port, without a closing slash."""
        return self.public_url or f"http://{self.local_host}:{self.collector_port}"

    @property
    def public_path(self) -> str:
        """The path below which browsers reach the collector: "" or for example "/monitor"."""
        return urlsplit(self.public_url).path

    @property
    def dashboard_address(self) -> str:
        """How people reach the dashboard: scheme, host and path, without a closing slash."""
        return self.dashboard_url or f"http://localhost:{self.dashboard_port}{self.dashboard_path}"

    @property
    def dashboard_path(self) -> str:
        """The path below which the dashboard is served: "" or for example "/monitor"."""
        base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
        path = (urlsplit(self.dashboard_url).path if self.dashboard_url else base).strip("/")
        return f"/{path}" if path else ""

    @property
    def local_dashboard(self) -> str:
        """The dashboard's address as this machine reaches it, without a closing slash."""
        host = reached_here(self.dashboard_host)
        return f"http://{host}:{self.dashboard_port}{self.dashboard_path}"

    @property
    def local_host(self) -> str:
        """The collector's host as this machine reaches it, as it is written in a URL."""
        return reached_here(self.collector_host)


CURES = {
    "database_url": "write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
    "read_database_url": "write postgresql+psycopg://USER:PASSWORD@HOST/DATABASE of a streaming replica, "
    "or leave it out",
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
    "new_visits": "write for example '120/min burst 300', or off",
    "streams": "write a whole number from 1, for example 10000",
    "streams_per_address": "write a whole number from 1, for example 50",
    "metrics_token": "write a secret word",
    "log_format": "write text or json",
    "dashboard_url": "write the address at which people reach the dashboard, for example "
    "https://monitor.example or https://shop.example/monitor",
    "pages_dir": "write the folder of your own pages, or leave it out",
    "dashboard_host": "write an address to listen on, for example 127.0.0.1",
    "dashboard_port": "write a port from 1 to 65535, for example 8501",
    "oidc_issuer": "write the issuer's address, for example https://accounts.example; http is "
    "only for one on this machine",
    "oidc_client_id": "write the id that the issuer has given to the dashboard",
    "oidc_client_secret": "write the secret that the issuer has given to the dashboard",
    "oidc_allowed": "write e-mail addresses and domains with commas, for example "
    "ann@shop.example,@shop.example",
    "oidc_trust_emails": "write on or off",
    "oidc_role_claim": "write the name of a claim, for example roles",
    "sign_in_header": "write the name of a header, for example X-Forwarded-Email",
}


_NEEDED = {
    "oidc_issuer": ("oidc_client_id", "oidc_client_secret"),
    "sign_in_header": ("trusted_proxies",),
}
"""Settings that do nothing safely without others."""

_VARIABLES = tuple(f"MONITOR_{name.upper()}" for name in Settings.model_fields)
_log = logging.getLogger("core.settings")


def below_project(path: str | Path) -> Path:
    """The path; a relative one is below the project's folder, wherever a command is run."""
    return PROJECT_ROOT / path


def reached_here(host: str) -> str:
    """What this machine calls a host that is listened on, as it is written in a URL."""
    host = _LOOPBACKS.get(host, host)
    return f"[{host}]" if ":" in host else host


@cache
def settings() -> Settings:
    """The settings of this process; SettingsError names the first one that cannot be used, or has no meaning."""
    if found := misspelt(os.environ, _VARIABLES):
        raise SettingsError(f"{found[0]} is no setting: write {found[1]}, or leave it out.")
    try:
        chosen = Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0]).lower().removeprefix("monitor_")
        raise SettingsError(
            f"{_variable(name)} is '{_shown(name, fault['input'])}': {CURES[name]}."
        ) from None
    _refuse_incomplete(chosen)
    _refuse_replica(chosen)
    return chosen


@cache
def warn_of_unknown_settings() -> None:
    """Log, once in a process, which variables look like settings and are none."""
    for name in without_effect(os.environ, _VARIABLES):
        _log.warning(
            "unknown_setting: %s has no effect cure='compare its name with docs/configuration.md, or "
            "leave it out'",
            name,
        )


def _variable(name: str) -> str:
    """The variable that the value of a setting was read from."""
    ours = f"MONITOR_{name.upper()}"
    return _STREAMLIT[name] if name in _STREAMLIT and ours not in os.environ else ours


def _refuse_incomplete(chosen: Settings) -> None:
    for name, needed in _NEEDED.items():
        missing = [each for each in needed if not getattr(chosen, each)]
        if getattr(chosen, name) and missing:
            raise SettingsError(
                f"MONITOR_{name.upper()} needs MONITOR_{missing[0].upper()}, which is empty: "
                f"{CURES[missing[0]]}."
            )


def _refuse_replica(chosen: Settings) -> None:
    """A replica is another server than the primary, and only Postgres has one."""
    url, primary = _parsed(chosen.read_database_url), _parsed(chosen.database_url)
    if not chosen.read_database_url or url is None or primary is None:
        return
    if primary.drivername == "sqlite":
        raise SettingsError(
            "MONITOR_READ_DATABASE_URL is for Postgres, and MONITOR_DATABASE_URL is SQLite: "
            "leave it out, or set MONITOR_DATABASE_URL to the primary of that replica."
        )
    if url == primary:
        raise SettingsError(
            "MONITOR_READ_DATABASE_URL is the same as MONITOR_DATABASE_URL: "
            f"{CURES['read_database_url']}."
        )


def _shown(name: str, value: object) -> object:
    """The value as it may appear in a log: without a password."""
    if name in _SECRETS:
        return "***"
    if name not in _ADDRESSES or not _MAY_HOLD_PASSWORD.search(str(value)):
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
