"""The day's salts under load and under faults; what they are for is in test_hit.py."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Engine, event

from core.database import open_database, writing
from tests.helpers.running_collector import DAY, view, wait_for


def test_a_day_whose_salt_cannot_be_made_is_waited_for(run_collector, sqlite_url, monkeypatch):
    monkeypatch.setattr("collector.salts.FOUND_WITHIN", 0.3)
    collector = run_collector(sqlite_url)
    collector.clock.advance(DAY)
    with writing(open_database(sqlite_url)):
        answer = collector.post(view(), visit="")
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (503, "not_committed")
    assert int(answer.headers["Retry-After"]) > 0
    wait_for(lambda: collector.post(view(), visit="").status_code == 200)


def test_a_new_day_has_its_salt_from_one_read_for_all(run_collector, database_url):
    collector = run_collector(database_url)
    made: list[str] = []

    def note(*execution: Any) -> None:
        if execution[2].startswith("INSERT INTO salt"):
            made.append(execution[2])

    collector.clock.advance(DAY)
    event.listen(Engine, "before_cursor_execute", note)
    senders = [
        threading.Thread(target=collector.post, args=(view(),), kwargs={"visit": ""})
        for _ in range(16)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    event.remove(Engine, "before_cursor_execute", note)
    assert len(made) == 1
    assert collector.row("SELECT count(*) FROM visit") == (1,)
