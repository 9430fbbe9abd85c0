"""The real collector in a thread of the tests: uvicorn on a free port, its clock controlled."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, Unpack

import httpx
import uvicorn
from sqlalchemy import Engine, text

from collector.app import App, build_app
from collector.control import Word, hand_link, say
from collector.http.protocol import Protocol
from collector.metrics import process_numbers
from collector.shared_numbers import SharedNumbers
from collector.worker_slot import WRITER_ROW, WorkerSlot
from collector.writer_process import build_writer
from core.database import open_database, reading, writing
from core.moment import from_milliseconds, to_milliseconds
from core.settings import Settings
from core.sites import SiteChanges, add_site, change_site, find_site

START = datetime(2026, 11, 16, 12, tzinfo=UTC)
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
ORIGIN = "https://shop.example"
TABLES = (
    "site",
    "visit",
    "visit_sequence",
    "visit_memory",
    "visit_tab",
    "page",
    "page_view_row",
    "visit_span_row",
    "visit_change_row",
    "visit_count",
    "drop_count",
    "site_origin",
    "collector_warning",
    "salt",
    "agent",
    "conversation",
    "message",
    "chat_template",
    "chat_rule",
    "backlog",
    "site_change",
    "visit_edit",
    "collector",
    "chore_run",
    "notice",
    "notice_delivery",
    "mail_server",
    "mail_answer",
)


class FakeClock:
    """The collector's clock in milliseconds: it moves only when the test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self.now = to_milliseconds(now)

    def __call__(self) -> int:
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Move on, or with a negative length back."""
        self.now += milliseconds


class RunningCollector:
    """A collector to send beacons to, and its database to read."""

    def __init__(
        self, url: str, app: App, engine: Engine, clock: FakeClock, server: uvicorn.Server
    ) -> None:
        self.url = url
        self._server = server
        self.app = app
        self.engine = engine
        self.clock = clock
        self.http = httpx.Client(base_url=url, timeout=20)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return httpx.URL(self.url).port or 0

    def begin_to_stop(self) -> None:
        """As at a signal; returns at once."""
        self._server.should_exit = True

    def post(
        self,
        *events: Mapping[str, Any],
        site: str = "shop1",
        visit: str = "a1b2c3d4e5f6g7h8",
        tab: str = "tab00001",
        visitor: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one beacon with these events."""
        body = {"v": 1, "k": site, "s": visit, "t": tab, "b": list(events)}
        if visitor is not None:
            body["w"] = visitor
        return self.send(body, headers=headers)

    def send(
        self, body: Any, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> httpx.Response:
        """Send a body as it is; anything but bytes or text is written as JSON."""
        return self._request(method, "/v1/beacon", body, headers)

    def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        options: dict[str, Any] = (
            {"content": body} if isinstance(body, bytes | str) else {"json": body}
        )
        sent = {
            "Origin": ORIGIN,
            "User-Agent": CHROME,
            "Content-Type": "text/plain;charset=UTF-8",
            **(headers or {}),
        }
        return self.http.request(method, path, headers=sent, **options)

    def call(
        self, action: str, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """Call an action of the chat; a field that is None is left out."""
        body = {
            name: value
            for name, value in ({"v": 1, "k": "shop1"} | fields).items()
            if value is not None
        }
        return self.call_with(action, body, headers=headers)

    def call_with(
        self,
        action: str,
        body: Any,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> httpx.Response:
        """Call an action of the chat with a body as it is."""
        return self._request(method, f"/v1/conversation/{action}", body, headers)

    def rows(self, sql: str, **values: Any) -> Sequence[Any]:
        """The rows of a query, as they are stored."""
        with reading(self.engine) as connection:
            return connection.execute(text(sql), values).all()

    def row(self, sql: str, **values: Any) -> Any:
        """The one row of a query."""
        (row,) = self.rows(sql, **values)
        return row

    def everything(self) -> str:
        """All that is stored in any table, as one text."""
        return "\n".join(
            "\t".join(map(str, row))
            for table in TABLES
            for row in self.rows(f"SELECT * FROM {table}")
        )

    def drops(self) -> dict[str, int]:
        """Beacons that were not stored, by reason, once they have been written."""
        return dict(self.rows("SELECT reason, sum(hits) FROM drop_count GROUP BY reason"))

    def change_site(self, key: str, **changes: Unpack[SiteChanges]) -> None:
        """Change a site as the dashboard does; the collector reads it within 5 seconds."""
        with writing(self.engine) as db:
            change_site(db, key, **changes)

    def refresh_sites(self) -> None:
        """Make the collector read new and changed sites now."""
        self.app.beacon.admission.site_cache.refresh()


def view(number: int = 1, path: str = "/", **fields: Any) -> dict[str, Any]:
    """A page view for a beacon."""
    return {"e": "v", "n": number, "u": path, **fields}


def wait_for(condition: Any, seconds: float = 20) -> Any:
    """What the condition returns once it is true; fails after the deadline."""
    deadline = monotonic() + seconds
    while not (result := condition()):
        assert monotonic() < deadline, f"not within {seconds} seconds"
        sleep(0.02)
    return result


@contextmanager
def running_collector(
    database_url: str, clock: FakeClock | None = None, **settings: Any
) -> Iterator[RunningCollector]:
    """A collector on a database that has its tables. Without limits of an address unless they are given.

    Its sites: shop1 (https://shop.example) and open (any origin).
    """
    clock = clock or FakeClock()
    settings = {"rate_limit": None, "new_visits": None, "database_url": database_url} | settings
    _add_sites(database_url, clock)
    chosen, numbers = Settings(**settings), process_numbers(2)
    with ExitStack() as controls:
        to_worker, of_worker = _control(controls)
        slot = WorkerSlot(numbers, WRITER_ROW + 1, of_worker)
        engine = open_database(database_url)
        controls.callback(engine.dispose)
        app = build_app(chosen, engine, slot, clock=clock)
        with _running_writer(chosen, numbers, clock) as to_writer:
            hand_link(to_worker, to_writer)
            with _serving(app, database_url, clock) as running:
                yield running


def _control(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """The parent's end of a control, and the other one."""
    one, other = socket.socketpair()
    return stack.enter_context(one), stack.enter_context(other)


@contextmanager
def _running_writer(
    chosen: Settings, numbers: SharedNumbers, clock: FakeClock
) -> Iterator[socket.socket]:
    """The collector's writer, in a thread; yields the parent's end of its control."""
    with ExitStack() as controls:
        to_writer, of_writer = _control(controls)
        engine = open_database(chosen.database_url)
        writer = build_writer(chosen, engine, numbers, of_writer, clock)
        thread = threading.Thread(target=writer.run, name="writer", daemon=True)
        thread.start()
        try:
            yield to_writer
        finally:
            say(to_writer, Word.STOP)
            thread.join(20)
            engine.dispose()
            assert not thread.is_alive(), "the writer did not stop"


@contextmanager
def _serving(app: App, database_url: str, clock: FakeClock) -> Iterator[RunningCollector]:
    """The application, served by uvicorn in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    engine = open_database(database_url)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    running = RunningCollector(url, app, engine, clock, server)
    try:
        wait_for(lambda: server.started or not thread.is_alive())
        assert server.started, "the collector did not start"
        yield running
    finally:
        with suppress(Exception):
            running.http.close()
        server.should_exit = True
        thread.join(20)
        engine.dispose()
        assert not thread.is_alive(), "the collector did not stop"


def _add_sites(database_url: str, clock: FakeClock) -> None:
    engine = open_database(database_url)
    with writing(engine) as db:
        if find_site(db, "shop1") is None:
            add_site(
                db, name="Shop", key="shop1", domains=[ORIGIN], now=from_milliseconds(clock.now)
            )
            add_site(db, name="Open", key="open", now=from_milliseconds(clock.now))
    engine.dispose()
