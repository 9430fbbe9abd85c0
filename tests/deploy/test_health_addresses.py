"""deploy/image/healthcheck.py knows by the standard library alone what the settings say."""

from __future__ import annotations

import pytest

from core.settings import Settings
from deploy.image.healthcheck import collector_address, dashboard_address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://monitor.example",
        "https://shop.example/monitor",
        "https://shop.example/monitor/",
        "https://shop.example/a/b",
    ],
)
def test_addresses_are_those_that_the_settings_make(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COLLECTOR", "DASHBOARD"):
        monkeypatch.setenv(f"MONITOR_{name}_HOST", "0.0.0.0")
    monkeypatch.setenv("MONITOR_COLLECTOR_PORT", "8700")
    monkeypatch.setenv("MONITOR_DASHBOARD_PORT", "8701")
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", url)
    chosen = Settings()
    assert dashboard_address() == f"{chosen.local_dashboard}/_stcore/health"
    assert collector_address() == f"http://{chosen.local_host}:8700/healthz"
