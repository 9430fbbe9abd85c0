"""A visitor is forgotten on their page: a minute later no file of the installation has a word of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from core.agents import add_agent
from core.chat.messages import send_as_agent
from core.chat.store import find_by_token
from core.database import open_database, reading, writing
from core.moment import utc_now
from core.sites import change_site, existing_site
from core.tables import Message
from tests.helpers.running_collector import CHROME, wait_for
from tests.helpers.running_monitor import RunningMonitor, running_monitor

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

VISIT, TAB = "quaxvisit0000001", "quaxtab00001"
WITHIN = 60 + 15
"""Seconds: a minute, and what a busy machine takes for it."""


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[RunningMonitor]:
    with running_monitor(tmp_path) as monitor:
        yield monitor


def call(monitor: RunningMonitor, path: str, **fields: Any) -> httpx.Response:
    collector = monitor.address_of("Collector")
    return httpx.post(
        f"{collector}{path}",
        json={"v": 1, "k": "demo", "s": VISIT, "t": TAB, **fields},
        headers={"User-Agent": CHROME, "Origin": collector, "Content-Type": "text/plain"},
    )


def visit_and_chat(monitor: RunningMonitor, folder: Path) -> set[str]:
    """Beacons and a chat with words that are found nowhere else; returns these."""
    engine = open_database(f"sqlite:///{folder / 'monitor.db'}")
    with writing(engine) as db:
        change_site(db, "demo", chat_button=True)
        site_id = existing_site(db, "demo").id or 0
        agent = add_agent(db, "Ann", utc_now())
    events = [
        {
            "e": "v",
            "n": 1,
            "u": "/quaxpath/one",
            "d": "Quaxtitle",
            "r": "https://quaxfrom.example/",
        },
        {"e": "i", "n": 2, "u": "/quaxpath/one", "i": {"email": "quaxmail@shop.example"}},
        {"e": "v", "n": 3, "u": "/quaxpath/two", "d": "Quaxsecond"},
    ]
    wait_for(lambda: call(monitor, "/v1/beacon", b=events).status_code == 200)
    presence = {"e": "p", "u": "/quaxpath/two"}
    numbers = count(4)
    wait_for(
        lambda: '"b":1' in call(monitor, "/v1/beacon", b=[{**presence, "n": next(numbers)}]).text
    )
    opened = call(monitor, "/v1/conversation/open", n="quaxclient01", x="Quaxquestion?").json()
    with writing(engine) as db:
        chat = find_by_token(db, site_id, opened["c"])
        assert chat is not None and chat.state == "open", opened
        answer = {"agent_id": agent.id or 0, "client_id": "quaxagent001", "text": "Quaxanswer."}
        assert isinstance(send_as_agent(db, chat, now=utc_now(), **answer), Message)
    engine.dispose()
    words = {"quaxpath", "Quaxtitle", "quaxfrom", "quaxmail", "Quaxsecond", "Quaxquestion"}
    return words | {VISIT, TAB, "quaxclient01", "quaxagent001", "Quaxanswer", opened["c"], chat.id}


def found_in(folder: Path, words: set[str]) -> dict[str, set[str]]:
    """The words that each file of the folder has."""
    found = {
        file.name: {word for word in words if word.encode() in file.read_bytes()}
        for file in folder.rglob("*")
        if file.is_file()
    }
    return {name: those for name, those in found.items() if those}


def is_rewritten(folder: Path) -> bool:
    engine = open_database(f"sqlite:///{folder / 'monitor.db'}")
    with reading(engine) as db:
        asked = db.execute(text("SELECT 1 FROM backlog WHERE name = 'rewritten_file'")).all()
    engine.dispose()
    return not asked


def test_no_file_has_a_word_of_a_forgotten_visitor(
    monitor: RunningMonitor, tmp_path: Path, browser: Browser
) -> None:
    words = visit_and_chat(monitor, tmp_path)
    assert set().union(*found_in(tmp_path, words).values()) == words
    page = browser.new_page()
    page.goto(f"{monitor.address_of('Dashboard')}/visitor?site=demo&visit={VISIT}")
    page.get_by_role("button", name="Forget this visitor").click(timeout=60_000)
    page.get_by_role("button", name="Forget for good").click(timeout=30_000)
    expect(page.get_by_role("heading", name="This visitor is forgotten")).to_be_visible(
        timeout=30_000
    )

    wait_for(lambda: is_rewritten(tmp_path) and not found_in(tmp_path, words), WITHIN)

    expect(page.get_by_role("heading", name="This visitor is forgotten")).to_be_visible()
    assert {file.name for file in tmp_path.iterdir()} >= {"monitor.db", "monitor.db-wal", "run.log"}
    page.close()
