"""Databases and collectors for every test that needs a real one."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from core.database import open_database
from core.schema import upgrade_schema
from tests.helpers.certificates import Authority, authority
from tests.helpers.edit_watch import unsaid_edits
from tests.helpers.postgres_server import PostgresServer, postgres_server
from tests.helpers.profiles import open_profiles
from tests.helpers.running_collector import RunningCollector, running_collector
from tests.helpers.tabs import FLAGS

_numbers = count(1)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which browser engines ran, and how many of their tests passed."""
    passed = Counter(
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "engine"
    )
    if passed:
        engines = ", ".join(f"{name} ({count} passed)" for name, count in sorted(passed.items()))
        terminalreporter.write_line(f"Engines: {engines}")


@pytest.fixture(autouse=True)
def every_edit_is_said() -> Iterator[None]:
    """No test passes in which our code has changed visits behind the writer's back."""
    unsaid_edits.clear()
    yield
    assert unsaid_edits == []


@pytest.fixture(scope="session")
def own_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority for certificates that nobody trusts by itself."""
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(own_authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The same authority, which this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(own_authority.file))
    return own_authority


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    named = os.environ.get("MONITOR_TEST_BROWSER")
    found = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not found or not Path(found).exists():
        pytest.fail(
            f"No Chromium{f' at {named}' if named else ''}: run apt-get install chromium, "
            "or set MONITOR_TEST_BROWSER to the path of one.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[[str], Browser]]:
    """Starts browsers; their pages are always visible and in focus (see tabs.py)."""
    with sync_playwright() as playwright:
        yield lambda path: playwright.chromium.launch(
            executable_path=path,
            args=FLAGS,
            ignore_default_args=["--disable-back-forward-cache"],
        )


@pytest.fixture(scope="session")
def browser(chromium: str, launch: Callable[[str], Browser]) -> Iterator[Browser]:
    """One browser for most tests.

    Where it is installed, Chromium's shell is used: the same browser without windows, a third
    cheaper. It keeps no page for Back: see `whole_browser`.
    """
    named = os.environ.get("MONITOR_TEST_BROWSER")
    browser = launch(named or shutil.which("chromium-headless-shell") or chromium)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def whole_browser(chromium: str, launch: Callable[[str], Browser]) -> Iterator[Browser]:
    """The browser that people use."""
    browser = launch(chromium)
    yield browser
    browser.close()


@pytest.fixture
def make_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles. Their pages must throw nothing, and the script must log nothing."""
    with open_profiles(browser) as make:
        yield make


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One Postgres server for the whole run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables and nothing in them."""
    file = tmp_path_factory.mktemp("template") / "monitor.db"
    _create_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A Postgres database with the tables and nothing in them."""
    postgres.execute("CREATE DATABASE template_monitor")
    _create_tables(postgres.url("template_monitor"))
    return "template_monitor"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database of its own for the test, with the tables."""
    file = shutil.copy(sqlite_template, tmp_path / "monitor.db")
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A Postgres database of its own for the test, with the tables."""
    name = f"test_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with the tables: the test runs once on SQLite and once on Postgres."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", "postgres"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables: the test runs once on SQLite and once on Postgres."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"bare_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def run_collector() -> Iterator[Callable[..., RunningCollector]]:
    """Start collectors: `run_collector(database_url, rate_limit=None, ...)`; they end with the test."""
    with ExitStack() as running:

        def run(url: str, **settings: Any) -> RunningCollector:
            return running.enter_context(running_collector(url, **settings))

        yield run


@pytest.fixture
def collector(
    run_collector: Callable[..., RunningCollector], database_url: str
) -> RunningCollector:
    """A collector with its clock controlled by the test, once on SQLite and once on Postgres."""
    return run_collector(database_url)


def _create_tables(url: str) -> None:
    engine = open_database(url)
    upgrade_schema(engine)
    engine.dispose()
