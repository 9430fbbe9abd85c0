"""The real collector, as its own process."""

import os
import urllib.request
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from core.database import open_database, writing
from core.schema import upgrade_schema
from core.sites import add_site, find_site
from tests.helpers.free_port import free_port
from tests.helpers.preloaded import start_preloaded
from tests.helpers.shop import until


class CollectorProcess:
    """`python -m collector` on a free port, with the given sites.

    Its database is a SQLite file in the folder, or the one that `url` names. `settings` are more
    variables of its environment.
    """

    def __init__(
        self, folder: Path, keys: list[str], url: str = "", workers: int = 1, **settings: str
    ) -> None:
        self._arguments = ["--workers", str(workers)]
        self._settings = settings
        self.database = folder / "monitor.db"
        self.url = url or f"sqlite:///{self.database}"
        self.port = free_port()
        self.log = folder / f"collector-{self.port}.log"
        self._add_sites(keys)
        self._process: BaseProcess | None = None

    def start(self, files: int = 0) -> None:
        """Returns when it answers. files: how many it may open; 0: as many as the system allows."""
        self.begin(files)
        until(self._is_ready, lambda: f"no collector: {self.log.read_text()[-2000:]}", within=90)

    def begin(self, files: int = 0) -> None:
        """Starts it, and waits for nothing."""
        environment = {
            "MONITOR_STREAMS_PER_ADDRESS": "1000",
            **os.environ,
            "MONITOR_DATABASE_URL": self.url,
            "MONITOR_COLLECTOR_PORT": str(self.port),
            "MONITOR_COUNT_BOTS": "on",
            "MONITOR_RATE_LIMIT": "off",
            "MONITOR_NEW_VISITS": "off",
            **self._settings,
        }
        self._process = start_preloaded("collector", self._arguments, environment, self.log, files)

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int:
        """Its number, once it was started."""
        return (self._process.pid if self._process else 0) or 0

    def parts(self, name: str = "") -> list[int]:
        """The processes that it has started, or of those the ones with this name ("writer", "worker")."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        pids = [int(pid) for each in tasks for pid in each.read_text().split()]
        return [pid for pid in pids if _name_of(pid).startswith(f"monitor-{name}")]

    @property
    def resident(self) -> int:
        """Bytes of memory that its processes hold, what they share once."""
        return sum(_proportional(pid) for pid in (self.pid, *self.parts()))

    def wait(self, within: float = 20) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        self._process.join(within)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def stop(self) -> None:
        """Ends it as its owner would, with SIGTERM."""
        if self._process is not None:
            self._process.terminate()
            self._process.join(20)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.join(20)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def _add_sites(self, keys: list[str]) -> None:
        engine = open_database(self.url)
        upgrade_schema(engine)
        with writing(engine) as db:
            for key in keys:
                if find_site(db, key) is None:
                    add_site(db, name=f"Shop {key}", key=key, now=datetime.now(UTC))
        engine.dispose()


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # it has ended


def _proportional(pid: int) -> int:
    """Its own memory, and its share of what it has with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("Pss:")]
    return int(line.split()[1]) * 1024
