"""`make dev`: an edit is live as soon as it is saved; in a temporary copy of the project."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from core.database import open_database
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import RunningMonitor, running_monitor
from tests.helpers.seed import make_site, make_visits

ROOT = Path(__file__).parents[2]
PARTS = ("app.py", "run.py", ".streamlit", "core", "collector", "pages", "supervision", "embed")
WITHIN = 60
"""Seconds in which what was saved must show; the machine may be busy."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


@dataclass(frozen=True)
class EditedProject:
    """A copy of the project that runs in dev mode."""

    root: Path
    monitor: RunningMonitor

    def edit(self, name: str, old: str, new: str) -> None:
        """Save the file with the new text in the place of the old one."""
        file = self.root / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def collector_says(self, path: str, words: str) -> bool:
        """Whether the collector's answer has the words."""
        try:
            with urlopen(self.monitor.address_of("Collector") + path, timeout=5) as reply:
                return words in reply.read().decode()
        except OSError:
            return False


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditedProject]:
    folder = tmp_path_factory.mktemp("dev")
    root = folder / "project"
    root.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, root / part)
    with running_monitor(folder, str(root / "run.py"), "--dev") as monitor:
        engine = open_database(f"sqlite:///{folder / 'monitor.db'}")
        make_visits(engine, make_site(engine, key="shop"), 5, now=datetime.now(UTC))
        engine.dispose()
        yield EditedProject(root, monitor)


@pytest.fixture
def page(project: EditedProject, browser: Browser) -> Iterator[Page]:
    """The live page; it knows whether it was loaded again."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(project.monitor.address_of("Dashboard") + "/?site=shop")
    expect(page.get_by_role("table", name="Active visitors")).to_be_visible(timeout=WITHIN * 1000)
    page.evaluate("window.isTheSame = true")
    yield page
    assert page.evaluate("window.isTheSame")
    context.close()


def test_edited_chart_and_column_show_in_the_open_page(project: EditedProject, page: Page) -> None:
    chart = page.locator('[data-testid="stVegaLiteChart"][aria-label^="Visits started on"]')
    expect(chart).to_be_visible()
    before = chart.bounding_box()
    project.edit("pages/live/sparkline.py", "HEIGHT = 32", "HEIGHT = 164")
    wait_for(lambda: (box := chart.bounding_box()) and before and box["height"] > 150, WITHIN)

    project.edit("pages/live/columns.py", '"Current Page"', '"Looks at"')
    header = page.get_by_role("columnheader", name="Looks at")
    expect(header).to_be_visible(timeout=WITHIN * 1000)


def test_edited_style_of_a_component_shows_in_the_open_page(
    project: EditedProject, page: Page
) -> None:
    cell = page.get_by_role("table", name="Active visitors").locator("tbody td").first
    style = project.root / "pages" / "parts" / "table" / "table.css"
    style.write_text(f"{style.read_text()}\ntd {{ letter-spacing: 3px !important; }}\n")
    expect(cell).to_have_css("letter-spacing", "3px", timeout=WITHIN * 1000)


def test_collector_waits_for_the_next_save_when_a_file_does_not_compile(
    project: EditedProject,
) -> None:
    assert project.collector_says("/healthz", "ok")
    project.edit("collector/http/health.py", "async def send_health", "async deff send_health")
    reason = "The collector did not start (exit code 1); what it had to say stands above."
    wait_for(lambda: f"{reason} It starts again when a file is saved." in printed(project), WITHIN)
    assert "SyntaxError" in printed(project)

    project.edit("collector/http/health.py", "async deff send_health", "async def send_health")
    project.edit("collector/http/health.py", '"ok\\n"', '"edited\\n"')
    wait_for(lambda: project.collector_says("/healthz", "edited"), WITHIN)
    assert "collector/http/health.py was saved: the collector starts again." in printed(project)


def test_edited_script_is_built_and_served(project: EditedProject) -> None:
    script = project.root / "embed" / "visitor-monitor-signals.js"
    script.write_text(f"{script.read_text(encoding='utf-8')}\nconsole.debug('edited')\n")
    path = "/embed/visitor-monitor-signals.js"
    wait_for(lambda: project.collector_says(path, "edited"), WITHIN)


def printed(project: EditedProject) -> str:
    return project.monitor.printed
