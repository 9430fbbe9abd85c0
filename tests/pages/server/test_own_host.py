"""Which hosts and origins are the dashboard's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import settings
from pages.server.own_host import is_own_host, is_own_origin


@pytest.fixture(autouse=True)
def dashboard_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", "https://monitor.example/team")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    "host, is_own",
    [
        ("monitor.example", True),
        ("MONITOR.example:443", True),
        ("monitor.example:8501", True),
        ("localhost:8501", True),
        ("192.0.2.7:8501", True),
        ("[2001:db8::7]:8501", True),
        ("evil.example", False),
        ("monitor.example.evil.example", False),
        ("evil.example@monitor.example", False),
        ("monitor.example/evil", False),
        ("monitor.example:443:80", False),
        ("monitor.example, evil.example", False),
        ("", False),
    ],
)
def test_a_name_that_somebody_else_can_give_it_is_not_its_own(host: str, is_own: bool) -> None:
    assert is_own_host(host) is is_own


@pytest.mark.parametrize(
    "origin, host, is_own",
    [
        ("https://monitor.example", "monitor.example", True),
        ("https://Monitor.Example", "monitor.example:443", True),
        ("https://monitor.example", "localhost:8501", True),
        ("http://monitor.example", "monitor.example", False),
        ("https://monitor.example:8443", "monitor.example", False),
        ("http://localhost:8501", "localhost:8501", True),
        ("http://LOCALHOST:8501", "localhost:8501", True),
        ("http://localhost:8502", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("http://[::1]:8501", "[::1]:8501", True),
        ("http://[::2]:8501", "[::1]:8501", False),
        ("http://192.0.2.7", "192.0.2.7:80", True),
        ("http://localhost:8501/", "localhost:8501", False),
        ("file://localhost:8501", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("", "", False),
    ],
)
def test_an_origin_is_its_own_when_it_is_the_host_that_is_asked(
    origin: str, host: str, is_own: bool
) -> None:
    assert is_own_origin(origin, host) is is_own
