"""The sender's process: there while there are addresses, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.database import open_database, writing
from core.moment import utc_now
from core.notices.address_url import webhook_url
from core.notices.addresses import add_address, delete_address
from tests.helpers.chat_rows import add_visit
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.notice_receivers import web_receiver
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import wait_for


def come_back(url: str, visit: str) -> None:
    """A remembered visitor begins another visit now."""
    now = utc_now()
    engine = open_database(url)
    with writing(engine) as db:
        moments = {"started_at": now, "last_activity_at": now, "last_seen_at": now}
        add_visit(db, visit, site_id=1, visit_number=2, in_view_until=now, **moments)
    engine.dispose()


@pytest.mark.long
def test_sender_comes_with_the_first_address_goes_with_the_last_and_outlives_a_kill(
    tmp_path: Path,
) -> None:
    collector = CollectorProcess(tmp_path, ["tea"])
    engine = open_database(collector.url)
    collector.start()
    try:
        with web_receiver() as receiver:
            assert collector.parts("sender") == []
            with writing(engine) as db:
                before = utc_now() - timedelta(hours=1)
                url = webhook_url(f"{receiver.url}/secretpath")
                address = add_address(db, 1, url, before, kinds=["returning"], minutes=5)
            wait_for(lambda: collector.parts("sender"))
            come_back(collector.url, "one")
            wait_for(lambda: len(receiver.requests) == 1)

            (killed,) = collector.parts("sender")
            os.kill(killed, signal.SIGKILL)
            wait_for(lambda: [pid for pid in collector.parts("sender") if pid != killed])
            come_back(collector.url, "two")
            wait_for(lambda: len(receiver.requests) == 2)

            with writing(engine) as db:
                delete_address(db, 1, address)
            wait_for(lambda: collector.parts("sender") == [])
            come_back(collector.url, "three")
    finally:
        collector.stop()
        engine.dispose()
    log = collector.log.read_text()
    assert f"notice_sent kind=returning site=tea address={address}" in log
    assert log.count("process_failed process=sender") == 1  # the kill
    assert "secretpath" not in log
    assert len(receiver.requests) == 2


def test_nobody_loads_apprise_before_something_is_sent() -> None:
    names = "collector.command, collector.service, core.notices.sending"
    loaded = f"import sys, {names}; print('apprise' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "False", done.stderr
