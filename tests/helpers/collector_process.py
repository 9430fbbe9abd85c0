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

    def __init__(self, folder: Path, keys: list[str], url: str = "", **settings: str) -> None:
        self._settings = settings
        self.database = folder / "monitor.db"
        self.url = url or f"sqlite:///{self.database}"
        self.port = free_port()
        self.log = folder / f"collector-{self.port}.log"
        self._add_sites(keys)
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Returns when it answers."""
        environment = {
            "MONITOR_STREAMS_PER_ADDRESS": "1000",
            **os.environ,
            "MONITOR_DATABASE_URL": self.url,
            "MONITOR_COLLECTOR_PORT": str(self.port),
            "MONITOR_COUNT_BOTS": "on",
            "MONITOR_RATE_LIMIT": "off",
            **self._settings,
        }
        self._process = start_preloaded("collector", [], environment, self.log)
        until(self._is_ready, lambda: f"no collector: {self.log.read_text()[-2000:]}", within=30)

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._process is not None and self._process.is_alive()

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
