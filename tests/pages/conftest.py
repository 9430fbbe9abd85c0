"""A real database for each test, and the dashboard's pages run on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
from playwright.sync_api import expect
from sqlalchemy import Engine
from streamlit.runtime.context import ContextProxy, StreamlitHeaders
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core import deadline
from core.settings import settings
from pages.live import online_day
from pages.parts import collector_notice, past_pictures, snapshots
from pages.server import session_book
from tests.helpers.seed import make_database

NAVIGATION = Path(__file__).parents[2] / "pages" / "navigation.py"
OpenPage = Callable[..., AppTest]
SHOWN_WITHIN = 60_000
"""Milliseconds that a test waits for what a page is to show. Sites, the largest page, needs a second of
the browser's processor time: 17 s on two cores that 22 processes want, 30 s where 28 do."""


@dataclass(frozen=True)
class Database:
    """A SQLite file with the schema."""

    url: str
    engine: Engine
    file: Path


@pytest.fixture(autouse=True)
def wait_for_busy_machine() -> None:
    """Each module may set the one timeout of a process: this one holds, whatever was imported before."""
    expect.set_options(timeout=SHOWN_WITHIN)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    url, engine = make_database(tmp_path)
    use_database(url, monkeypatch)
    yield Database(url, engine, tmp_path / "monitor.db")
    engine.dispose()
    settings.cache_clear()


def use_database(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pages read this database, as after a new start."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    settings.cache_clear()
    st.cache_data.clear()
    snapshots._pictures.clear()
    snapshots._sites.clear()
    snapshots._removals.clear()
    past_pictures.clear_past()
    online_day.clear_days()
    session_book._books.clear()
    collector_notice._shared_watch.cache_clear()
    deadline._engine.cache_clear()
    deadline._sound.clear()


def age_snapshots() -> None:
    """Nothing that the pages have read is fresh any more; what was read last is still known, but of the past."""
    st.cache_data.clear()
    past_pictures.clear_past()
    online_day.clear_days()
    for kept in (snapshots._pictures, snapshots._sites, snapshots._removals, session_book._books):
        for shared in kept.values():
            shared.clear()
    collector_notice._shared_watch.cache_clear()


@pytest.fixture
def cookies(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The browser's cookies: AppTest has no browser of its own. It looks from this machine."""
    cookies: dict[str, str] = {}
    monkeypatch.setattr(ContextProxy, "cookies", cookies)
    monkeypatch.setattr(ContextProxy, "ip_address", None)
    monkeypatch.setattr(ContextProxy, "headers", StreamlitHeaders([]))
    return cookies


@pytest.fixture
def open_page(cookies: dict[str, str]) -> OpenPage:
    """Opens a page by its address; the keyword arguments are the address's query."""

    def open_page(page: str = "", **query: str) -> AppTest:
        test = AppTest.from_file(str(NAVIGATION), default_timeout=60)
        for name, value in query.items():
            test.query_params[name] = value
        if page:
            # switch_page knows only the pages of a pages/ folder, not those of st.navigation.
            test._page_hash = calc_hash(page)
        return test.run()

    return open_page
