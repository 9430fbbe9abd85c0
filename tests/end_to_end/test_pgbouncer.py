"""Behind a real PgBouncer in transaction mode everything works, without a setting of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import OperationalError

from core import deadline
from core.database import open_database, reading, writing
from core.deadline import DatabaseUnavailable
from core.postgres import is_pooled
from core.schema import check_schema, upgrade_schema
from core.trends.side_by_side import read_parts
from tests.helpers.collector_chats import attend, open_chat, open_stream, say
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.dashboard_chats import client_id, make_agent, secret_of, visitor_opens
from tests.helpers.free_port import free_port
from tests.helpers.old_schema import downgrade
from tests.helpers.open_stream import OpenStream
from tests.helpers.pgbouncer import PgBouncer, pgbouncer
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.running_collector import CHROME, view, wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_site

ROOT = Path(__file__).parents[2]
TRANSACTION = "pool_mode = transaction"
POOLERS = {
    "its defaults": (TRANSACTION,),
    "start parameters ignored": (TRANSACTION, "ignore_startup_parameters = options"),
    "two sessions for all": (TRANSACTION, "default_pool_size = 2"),
}
SENDERS, BEACONS = 8, 250
"""Thousands of beacons from several connections."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(params=POOLERS.values(), ids=list(POOLERS))
def pooler(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[PgBouncer]:
    with pgbouncer(postgres, *request.param) as running:
        yield running


@pytest.fixture
def usual(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with pgbouncer(postgres, TRANSACTION) as running:
        yield running


@pytest.fixture
def engine(usual: PgBouncer, postgres_url: str) -> Iterator[Engine]:
    """A database with the tables, behind the pooler."""
    opened = open_database(usual.url(postgres_url))
    yield opened
    opened.dispose()


@pytest.mark.parametrize("bare_database_url", ["postgres"], indirect=True)
def test_thousands_of_beacons_are_stored(
    pooler: PgBouncer, bare_database_url: str, tmp_path: Path
) -> None:
    collector = CollectorProcess(tmp_path, ["shop"], url=pooler.url(bare_database_url))
    collector.start()
    try:
        with ThreadPoolExecutor(SENDERS) as senders:
            statuses = sum(
                senders.map(_send, range(SENDERS), [collector.port] * SENDERS), Counter()
            )
    finally:
        collector.stop()

    assert statuses == {200: SENDERS * BEACONS}
    assert _count(bare_database_url, "page_view") == SENDERS * BEACONS
    log = collector.log.read_text()
    assert log.count("chat_feed_polls every=0.25s reason='a connection pooler'") == 1, log
    assert " WARNING " not in log, log
    assert " ERROR " not in log, log


def test_long_question_takes_one_session(engine: Engine) -> None:
    with reading(engine) as db:
        used = {id(used) for _, used in read_parts(db, range(9), lambda other, _: other)}
        assert used == {id(db)}


@pytest.mark.parametrize("bare_database_url", ["postgres"], indirect=True)
def test_tables_of_an_older_version_are_upgraded(usual: PgBouncer, bare_database_url: str) -> None:
    engine = open_database(usual.url(bare_database_url))
    upgrade_schema(engine)
    with writing(engine) as db:
        downgrade(db, "0004")

    upgrade_schema(engine)

    check_schema(engine)
    engine.dispose()


def test_chat_goes_both_ways(usual: PgBouncer, postgres_url: str, run_collector: Any) -> None:
    one, two = (run_collector(usual.url(postgres_url)) for _ in range(2))
    agent = attend(one)
    token = open_chat(one)
    with open_stream(one, token) as here, open_stream(two, token) as there:
        for number in range(20):
            say(one, agent, token, f"answer {number}")
            two.call("send", c=token, n=f"visitor{number:06d}", x=f"question {number}")
        received = [[each["x"] for each in stream.messages(41)] for stream in (here, there)]

    assert received[0] == received[1]
    assert received[0][-2:] == ["answer 19", "question 19"]


def test_dashboard_reads_and_writes(engine: Engine) -> None:
    agent = make_agent(engine)
    chat = visitor_opens(engine, make_site(engine, key="tea"), "visit1")
    with (
        running_dashboard(engine.url.render_as_string(hide_password=False)) as address,
        httpx.Client(
            base_url=address,
            cookies={"visitor-monitor-agent": secret_of(agent)},
            headers={"Origin": address},
            timeout=40,
        ) as client,
    ):
        stream = OpenStream(client, "/agent/stream")
        wait_for(stream.news)
        for number in range(10):
            body = {"site": "tea", "id": chat.id, "n": client_id(), "text": f"answer {number}"}
            assert client.post("/agent/send", json=body).status_code == 200
        chat.says("From a collector")
        wait_for(lambda: "From a collector" in str(stream.news()))

    assert len(chat.texts) == 12


def test_pooler_that_starts_again_heals(
    usual: PgBouncer, postgres_url: str, tmp_path: Path
) -> None:
    collector = CollectorProcess(tmp_path, ["shop"], url=usual.url(postgres_url))
    collector.start()
    try:
        before = _post(collector.port, 1)
        usual.stop()
        meanwhile = _post(collector.port, 2)
        usual.start()
        wait_for(lambda: _post(collector.port, 3) == 200)
    finally:
        collector.stop()

    assert (before, meanwhile) == (200, 503)


def test_stuck_statement_is_ended(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.postgres.STATEMENT_TIMEOUT", 0.5)
    with pytest.raises(OperationalError, match="statement timeout"), writing(engine) as db:
        db.exec_driver_sql("SELECT pg_sleep(60)")


def test_limits_are_not_left_to_others(engine: Engine) -> None:
    with writing(engine) as db:
        assert db.exec_driver_sql("SHOW statement_timeout").scalar() == "10s"
    with psycopg.connect(_plain(engine)) as other:
        assert other.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_pooler_is_noticed(engine: Engine, postgres_url: str) -> None:
    direct = open_database(postgres_url)
    with closing(engine.raw_connection()) as pooled, closing(direct.raw_connection()) as whole:
        assert (is_pooled(pooled), is_pooled(whole)) == (True, False)
    direct.dispose()


@pytest.mark.parametrize(
    ("mode", "query", "said", "cure"),
    [
        (
            "statement",
            {},
            "transaction blocks not allowed in statement pooling mode",
            "Set pool_mode = transaction in PgBouncer, for all or for this database.",
        ),
        (
            "transaction",
            {"options": "-c geqo=off"},
            "unsupported startup parameter",
            "Take options out of MONITOR_DATABASE_URL, unset PGOPTIONS, and restart.",
        ),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    postgres: PostgresServer,
    postgres_url: str,
    mode: str,
    query: dict[str, str],
    said: str,
    cure: str,
) -> None:
    with pgbouncer(postgres, f"pool_mode = {mode}") as running:
        url = make_url(running.url(postgres_url)).update_query_dict(query)
        done = subprocess.run(
            [sys.executable, "-m", "collector", "--port", str(free_port())],
            cwd=ROOT,
            env=os.environ | {"MONITOR_DATABASE_URL": url.render_as_string(hide_password=False)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert said in done.stderr
    assert done.stderr.strip().endswith(cure)


def test_pooler_without_room_is_waited_for(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    with pgbouncer(postgres, TRANSACTION, "max_client_conn = 12") as running:
        collector = CollectorProcess(tmp_path, ["shop"], url=running.url(postgres_url))
        others = [psycopg.connect(_plain(open_database(collector.url))) for _ in range(12)]
        with ThreadPoolExecutor(1) as starter:
            start = starter.submit(collector.start)
            wait_for(lambda: "database_awaited" in _read(collector.log), 60)
            for other in others:
                other.close()
            wait_for(start.done, 60)
        collector.stop()
        start.result()

    assert "cure='raise max_client_conn in PgBouncer;" in _read(collector.log)


def test_page_that_finds_no_session_free_names_the_cure(
    postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (TRANSACTION, "default_pool_size = 1", "query_wait_timeout = 1")
    with pgbouncer(postgres, *lines) as running:
        url = running.url(postgres_url)
        monkeypatch.setattr(deadline, "database_url", lambda: url)
        engine = deadline.database_engine()
        with writing(engine), pytest.raises(DatabaseUnavailable, match="Raise default_pool_size"):
            deadline.read(lambda db: db.exec_driver_sql("SELECT 1").scalar())
        engine.dispose()


def _send(sender: int, port: int) -> Counter[int]:
    with httpx.Client(headers={"User-Agent": CHROME}) as client:
        return Counter(_post(port, number, sender, client) for number in range(1, BEACONS + 1))


def _post(port: int, number: int, sender: int = 0, client: httpx.Client | None = None) -> int:
    """The status of a page view's beacon; each sender is the visit of its own."""
    post = client.post if client else httpx.post
    body = {"v": 1, "k": "shop", "s": f"{sender:016d}", "t": "tab1", "b": [view(number)]}
    answer = post(
        f"http://127.0.0.1:{port}/v1/beacon",
        json=body,
        headers={"User-Agent": CHROME},
        timeout=60,
    )
    return answer.status_code


def _count(url: str, table: str) -> int:
    engine = open_database(url)
    with reading(engine) as db:
        count = db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    engine.dispose()
    return count


def _plain(engine: Engine) -> str:
    """As libpq reads it."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _read(log: Path) -> str:
    return log.read_text() if log.exists() else ""
