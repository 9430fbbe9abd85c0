"""A backup is restored while a dashboard is open: the page goes on with what was restored."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers.live_page import rows
from tests.helpers.preloaded import ROOT
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visit, make_visits

SHOWN_WITHIN = 60_000
"""Milliseconds on a busy machine: a page asks by itself every 30 s, and is told within 2."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


def core(url: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout


def leave_sound(_file: Path) -> None:
    """Nothing is wrong with it."""


def damage(file: Path) -> None:
    """As a disk that has lost it; the log is lost too."""
    file.with_name(f"{file.name}-wal").write_bytes(b"")
    file.write_bytes(b"x" * file.stat().st_size)


@pytest.mark.parametrize("spoil", [leave_sound, damage])
def test_open_page_shows_the_restored_visitors_and_those_who_come_then(
    spoil, make_context, tmp_path
):
    url, engine = make_database(tmp_path)
    site = make_site(engine)
    now = datetime.now(UTC)
    make_visits(engine, site, 3, now=now)
    core(url, "backup", str(tmp_path / "backup.db"))
    make_visit(engine, site, "laterlaterlater1", now=now)
    with running_dashboard(url) as dashboard:
        page = make_context().new_page()
        page.goto(f"{dashboard}/?site={site.key}")
        expect(rows(page)).to_have_count(4, timeout=SHOWN_WITHIN)

        spoil(tmp_path / "monitor.db")
        said = core(url, "restore", str(tmp_path / "backup.db"), "--yes")

        assert "What was there before is kept as" in said
        expect(rows(page)).to_have_count(3, timeout=SHOWN_WITHIN)
        make_visit(engine, site, "newcomernewcomer", now=datetime.now(UTC))
        expect(rows(page)).to_have_count(4, timeout=SHOWN_WITHIN)
    engine.dispose()
