"""python -m collector: as its owner starts and stops it."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, make_url

from collector.chat.streams import MOST_LISTENING
from collector.http.file_limit import allow_open_files, room_for_streams
from collector.server import server_config
from core.agents import add_agent
from core.database import open_database, reading, writing
from core.heartbeat import Heartbeat, heartbeats
from core.removal import delete_some, remove_site
from core.schema import upgrade_schema
from core.sites import add_site, change_site, list_sites
from core.visits.presence import LONGEST_PRESENCE
from tests.helpers.free_port import free_port
from tests.helpers.old_schema import make_first_version
from tests.helpers.preloaded import start_preloaded
from tests.helpers.running_collector import CHROME, view, wait_for

ROOT = Path(__file__).parents[2]
STOPS_WITHIN = 5
"""Seconds, on a busy machine; a stop that waits for streams takes fifteen."""


class Command:
    """`python -m collector` with its own port and database; what it prints goes to the log."""

    def __init__(self, log: Path, url: str, *arguments: str, **environment: str) -> None:
        self.port = environment.pop("PORT", "") or str(free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self.process = start_preloaded(
            "collector",
            ["--port", self.port, *arguments],
            os.environ | {"MONITOR_DATABASE_URL": url} | environment,
            log,
        )

    def wait_until_ready(self) -> None:
        wait_for(self._is_ready, 90)

    def post(self, number: int = 1, visit: str = "a1b2c3d4e5f6g7h8") -> int:
        body = {"v": 1, "k": "demo", "s": visit, "t": "tab1", "b": [view(number)]}
        headers = {"User-Agent": CHROME}
        return httpx.post(f"{self.url}/v1/beacon", json=body, headers=headers).status_code

    def call(self, action: str, **fields: Any) -> Any:
        answer = httpx.post(f"{self.url}/v1/conversation/{action}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def hold(self, action: str, token: str, after: int) -> socket.socket:
        """A connection that has requested a stream or a poll."""
        body = json.dumps({"v": 1, "k": "demo", "c": token, "after": after}).encode()
        head = f"POST /v1/conversation/{action} HTTP/1.1\r\nHost: x\r\n"
        found = socket.create_connection(("127.0.0.1", int(self.port)))
        found.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return found

    def is_attended(self) -> bool:
        """Whether the collector has seen that an agent is there, of a site with a chat button."""
        body = {"v": 1, "k": "demo", "s": "a1b2c3d4e5f6g7h8", "t": "tab1", "b": [view()]}
        answer = httpx.post(f"{self.url}/v1/beacon", json=body, headers={"User-Agent": CHROME})
        return answer.json()["c"]["b"] == 1

    def streams(self) -> int:
        """Open streams and polls."""
        metrics = httpx.get(f"{self.url}/metrics").text
        return int(float(metrics.partition("\nmonitor_chat_streams ")[2].split()[0]))

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid or 0, number)

    def first_line(self) -> str:
        """The first line that it prints, once it is there."""
        return wait_for(lambda: "\n" in self.printed and self.printed.partition("\n")[0], 30)

    @property
    def printed(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def end(self) -> tuple[int | None, str]:
        """Wait until the collector has ended; its exit code, and what it has printed."""
        self.process.join(90)
        return self.process.exitcode, self.printed

    def answers(self) -> bool:
        """Whether it listens."""
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz").status_code == 200
        return False

    def _is_ready(self) -> bool:
        assert self.process.exitcode is None, self.end()
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Command]]:
    folder, numbers = tmp_path_factory.mktemp("logs"), count(1)
    commands: list[Command] = []

    def start(url: str, *arguments: str, **environment: str) -> Command:
        log = folder / f"{next(numbers)}.log"
        commands.append(Command(log, url, *arguments, **environment))
        return commands[-1]

    yield start
    for command in commands:
        command.process.kill()
        command.process.join(10)


def keys(url: str) -> list[str]:
    engine = open_database(url)
    with reading(engine) as db:
        found = [site.key for site in list_sites(db)]
    engine.dispose()
    return found


@pytest.mark.parametrize(
    "bare_database_url, number",
    [("sqlite", signal.SIGINT), ("postgres", signal.SIGTERM)],
    indirect=["bare_database_url"],
)
def test_collector_starts_on_an_empty_database_and_stops_at_a_signal(
    start, bare_database_url, number
):
    command = start(bare_database_url)
    command.wait_until_ready()
    status = command.post()
    command.signal(number)

    code, stderr = command.end()

    assert (status, code) == (200, 0), stderr
    assert keys(bare_database_url) == ["demo"]
    assert f"collector_started host=127.0.0.1 port={command.port} workers=1" in stderr
    assert stderr.endswith("collector_stopped\n")
    assert "Traceback" not in stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_log_is_json_where_it_is_wanted_of_every_worker(start, postgres_url, workers):
    command = start(postgres_url, "--workers", workers, MONITOR_LOG_FORMAT="json")
    command.wait_until_ready()
    command.signal(signal.SIGTERM)

    code, stderr = command.end()

    lines = [json.loads(line) for line in stderr.splitlines()]
    assert code == 0
    assert f"workers={workers}" in lines[0]["message"]
    assert lines[-1]["message"] == "collector_stopped"


def test_refusal_after_the_settings_were_read_is_json_too(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    code, stderr = start(url, "--host", "no.such.host.invalid", MONITOR_LOG_FORMAT="json").end()
    assert code == 1
    assert json.loads(stderr)["message"].startswith("Cannot listen on no.such.host.invalid")


def test_demo_site_is_not_made_where_it_is_not_wanted(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    command = start(url, MONITOR_DEMO="off")

    command.wait_until_ready()

    assert keys(url) == []


def test_demo_site_that_was_deleted_does_not_come_back(start, sqlite_url):
    first = start(sqlite_url)
    first.wait_until_ready()
    engine = open_database(sqlite_url)
    wait_for(lambda: heartbeats_of(engine))
    first.signal(signal.SIGTERM)
    first.end()
    with writing(engine) as db:
        remove_site(db, "demo", "Demo shop", datetime.now(UTC))
    again = start(sqlite_url)
    again.wait_until_ready()
    assert keys(sqlite_url) == []
    again.signal(signal.SIGTERM)
    again.end()
    with writing(engine) as db:
        while not delete_some(db, 1, 9, 9).is_last:
            pass
    engine.dispose()

    start(sqlite_url).wait_until_ready()

    assert keys(sqlite_url) == []


def heartbeats_of(engine: Engine) -> frozenset[Heartbeat]:
    with reading(engine) as db:
        return heartbeats(db)


def test_second_collector_on_one_file_is_refused_and_a_later_one_is_not(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    first = start(url)
    first.wait_until_ready()

    code, stderr = start(url).end()
    first.process.kill()
    first.end()
    third = start(url)

    assert code == 1
    assert stderr.count("\n") == 1
    assert f"Another collector (process {first.process.pid}) serves" in stderr
    assert "Postgres" in stderr
    third.wait_until_ready()


def test_files_that_an_earlier_version_left_readable_are_tightened(start, sqlite_url, tmp_path):
    (tmp_path / "monitor.db").chmod(0o644)
    (tmp_path / "monitor.db.lock").touch(0o644)

    start(sqlite_url).wait_until_ready()

    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.glob("monitor.db*")}
    assert modes == dict.fromkeys(
        ("monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.lock"), "0o600"
    )


def test_older_tables_are_copied_before_they_are_upgraded(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    engine = open_database(url)
    with writing(engine) as db:
        make_first_version(db)
    engine.dispose()

    command = start(url)
    command.wait_until_ready()
    command.process.terminate()
    code, stderr = command.end()

    (copy,) = tmp_path.glob("m.db.before-*")
    assert code == 0
    assert f"copied_before_upgrade file={copy}" in stderr
    assert keys(url) == ["shop"]


def test_port_in_use_is_reported_with_the_cure(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, stderr = start(f"sqlite:///{tmp_path / 'm.db'}", PORT=port).end()

    assert code == 1
    assert stderr == (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use): stop what uses it, "
        "or choose another with --port or MONITOR_COLLECTOR_PORT.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {"MONITOR_RATE_LIMIT": "ten"}, "MONITOR_RATE_LIMIT is 'ten': write for example"),
        (
            ["--workers", "2"],
            {
                "MONITOR_GEOIP_DATABASE": __file__,
                "MONITOR_DATABASE_URL": "postgresql+psycopg://x:y@127.0.0.1:1/z",
            },
            "MONITOR_GEOIP_DATABASE cannot be used: ",
        ),
        ([], {"MONITOR_DATABASE_URL": "sqlite:////proc/x.db"}, "/proc/x.db.lock: "),
        (["--host", "no.such.host.invalid"], {}, "Cannot listen on no.such.host.invalid port"),
    ],
)
def test_fault_at_the_start_is_reported_in_one_line(
    start, tmp_path, arguments, environment, expected
):
    url = environment.pop("MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'm.db'}")

    code, stderr = start(url, *arguments, **environment).end()

    is_setting = expected.startswith("MONITOR_") and " is '" in expected
    assert code == (os.EX_CONFIG if is_setting else 1), stderr
    assert stderr.count("\n") == 1
    assert stderr.startswith(expected)


def test_stop_drains_what_has_been_sent(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    command = start(url, MONITOR_RATE_LIMIT="off")
    command.wait_until_ready()
    accepted: list[int] = []

    def shop(tab: int) -> None:
        number = 0
        while True:
            number += 1
            try:
                accepted.append(command.post(number, f"visit{tab:011d}") == 200)
            except httpx.TransportError:
                return

    threads = [threading.Thread(target=shop, args=(tab,)) for tab in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(accepted) > 20)
    command.process.terminate()
    code, stderr = command.end()
    for thread in threads:
        thread.join(10)

    engine = open_database(url)
    with reading(engine) as db:
        stored = db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one()
    engine.dispose()
    assert code == 0, stderr
    assert stored >= sum(accepted) > 20


def test_stop_does_not_wait_for_streams_and_polls(start, tmp_path):
    url = f"sqlite:///{tmp_path / 'm.db'}"
    engine = open_database(url)
    upgrade_schema(engine)
    with writing(engine) as db:
        add_agent(db, "Ann", datetime.now(UTC))
        add_site(db, name="Demo shop", key="demo", now=datetime.now(UTC))
        change_site(db, "demo", chat_button=True)
    engine.dispose()
    command = start(url, MONITOR_RATE_LIMIT="off")
    command.wait_until_ready()
    soft, hard = resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard
    wait_for(command.is_attended)
    body = {"v": 1, "k": "demo", "s": "a1b2c3d4e5f6g7h8", "t": "tab1"}
    opened = command.call("open", **body, n="visitor0001", x="Hello")
    readers = [
        command.hold(action, opened["c"], opened["id"])
        for action in ["stream", "poll"] * (MOST_LISTENING // 2)
    ]
    wait_for(lambda: command.streams() == MOST_LISTENING)

    began = monotonic()
    command.process.terminate()
    code, stderr = command.end()

    assert monotonic() - began < STOPS_WITHIN
    assert code == 0, stderr
    assert "ERROR" not in stderr
    for reader in readers:
        reader.settimeout(5)
        with suppress(ConnectionResetError):
            while reader.recv(1 << 16):
                pass
        reader.close()


def test_as_many_files_may_be_open_as_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
        allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
        assert room_for_streams() == hard // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_connection_outlasts_the_pause_between_two_presences():
    assert server_config(None).timeout_keep_alive > LONGEST_PRESENCE.total_seconds()


def test_two_workers_share_a_database(start, database_url):
    command = start(database_url, "--workers", "2", MONITOR_RATE_LIMIT="off")
    command.wait_until_ready()

    statuses = {command.post(number) for number in range(1, 21)}
    command.process.terminate()
    code, stderr = command.end()

    assert (statuses, code) == ({200}, 0), stderr


def test_two_collectors_that_start_together_make_one_demo_site(start, postgres_url):
    engine = open_database(postgres_url)
    with engine.connect() as first, first.begin():
        add_site(first, name="Demo shop", key="demo", now=datetime.now(UTC))
        second = start(postgres_url)
        wait_for(lambda: _waits_for_a_lock(engine), 30)
    engine.dispose()

    second.wait_until_ready()

    assert keys(postgres_url) == ["demo"]


def test_database_server_that_is_away_is_waited_for(start, postgres, postgres_url, tmp_path):
    away = tmp_path / "away"
    url = make_url(postgres_url).set(query={"host": str(away)})
    command = start(url.render_as_string(hide_password=False))
    first_line = command.first_line()
    wait_for(command.answers)
    statuses = [httpx.get(f"{command.url}{path}").status_code for path in ("/healthz", "/readyz")]
    refused = command.post()
    away.symlink_to(postgres.directory)

    command.wait_until_ready()
    command.process.terminate()
    code, stderr = command.end()

    assert "database_awaited" in first_line
    assert "cure='start Postgres, or correct MONITOR_DATABASE_URL" in first_line
    assert (statuses, refused) == ([200, 503], 503)
    assert (code, stderr.count("database_awaited fault")) == (0, 1)


def test_statement_that_was_cancelled_is_not_told_as_a_server_that_is_away(start, postgres_url):
    engine = open_database(postgres_url)
    with writing(engine) as db:
        db.exec_driver_sql("LOCK TABLE site IN SHARE ROW EXCLUSIVE MODE")
        command = start(postgres_url)
        wait_for(lambda: _waits_for_a_lock(engine), 30)
        with reading(engine) as other:
            other.exec_driver_sql("SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted")
        line = command.first_line()
    engine.dispose()

    command.wait_until_ready()

    assert "database_busy fault='canceling statement" in line
    assert "another collector upgrades the tables" in line


def test_database_that_will_never_answer_is_reported_in_one_line(start, postgres_url):
    url = make_url(postgres_url).set(database="nowhere")

    code, stderr = start(url.render_as_string(hide_password=False)).end()

    assert (code, stderr.count("\n")) == (1, 1), stderr
    assert stderr.startswith("The database does not answer: ")
    assert '"nowhere" does not exist' in stderr


def _waits_for_a_lock(engine):
    with reading(engine) as db:
        return db.exec_driver_sql("SELECT 1 FROM pg_locks WHERE NOT granted").first()


def test_help_names_the_settings(start):
    done = subprocess.run(
        [sys.executable, "-m", "collector", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 0
    assert "MONITOR_COLLECTOR_PORT" in done.stdout
