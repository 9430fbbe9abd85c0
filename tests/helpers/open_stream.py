"""An open stream of the dashboard's server-sent events."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

import httpx


class OpenStream:
    """The events of the stream so far, in their order; `last`: the id of the last one known before."""

    def __init__(self, client: httpx.Client, path: str, last: int | None = None) -> None:
        self.events: list[tuple[str, Any]] = []
        self.is_over = False
        self._client = client
        self._path = path
        self._headers = {} if last is None else {"Last-Event-ID": str(last)}
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def news(self) -> list[Any]:
        """The data of the events without a name."""
        return [data for name, data in self.events if name == "message"]

    def _follow(self) -> None:
        with (
            suppress(httpx.HTTPError),
            self._client.stream("GET", self._path, headers=self._headers) as answer,
        ):
            name = "message"
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))
                elif not line:
                    name = "message"
        self.is_over = True
