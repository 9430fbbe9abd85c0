"""Chromium, by the DevTools protocol (chromedevtools.github.io/devtools-protocol).

Not by Playwright, which keeps every page visible and in focus.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.helpers.engines.engine import ANSWERS_WITHIN, ENTER
from tests.helpers.shop import until
from tests.helpers.tabs import open_tabs


class Chromium:
    """Chromium without a window, with a profile of its own; see Engine."""

    name = "Chromium"

    def __init__(self, path: str) -> None:
        self._exits = ExitStack()
        self._tabs = self._exits.enter_context(open_tabs(path))
        self.version = self._tabs.version["Browser"].partition("/")[2]
        self._connection: ClientConnection | None = None
        self._page = self._cover = ""
        self._number = 0

    def open(self, url: str) -> None:
        before, self._page = self._page, self._tabs.open("about:blank")
        if self._connection:
            self._connection.close()
            self._tabs.close(before)
        self._connection = connect(self._tabs.socket(self._page), max_size=None)
        self.go(url)

    def go(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        until(
            lambda: self.evaluate("document.readyState") == "complete",
            lambda: f"{url} does not load",
            within=ANSWERS_WITHIN,
        )

    def back(self) -> None:
        history = self._call("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]
        self._call("Page.navigateToHistoryEntry", entryId=entry["id"])

    def hide(self) -> None:
        self._cover = self._tabs.open("about:blank")

    def show(self) -> None:
        self._tabs.close(self._cover)
        self._tabs.show(self._page)

    def evaluate(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if fault := answer.get("exceptionDetails"):
            raise RuntimeError(f"Chromium, {expression}: {fault}")
        return answer["result"].get("value")

    def press(self, keys: str) -> None:
        for key in keys:
            stroke = _ENTER_STROKE if key == ENTER else {"key": key, "text": key}
            self._call("Input.dispatchKeyEvent", type="keyDown", **stroke)
            self._call("Input.dispatchKeyEvent", type="keyUp", **stroke)

    def quit(self) -> None:
        if self._connection:
            self._connection.close()
        self._exits.close()

    def _call(self, method: str, **parameters: Any) -> Any:
        """The result of the command, as soon as a page takes it: none does while it is replaced."""
        answer: dict[str, Any] = {}

        def is_taken() -> bool:
            nonlocal answer
            answer = self._ask(method, parameters)
            return answer.get("error", {}).get("message") not in _NO_PAGE_YET

        until(is_taken, lambda: f"Chromium, {method}: {answer}", within=ANSWERS_WITHIN)
        if "error" in answer:
            raise RuntimeError(f"Chromium, {method}: {answer['error']['message']}")
        return answer["result"]

    def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert self._connection, "open a page first"
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        while (answer := json.loads(self._connection.recv(ANSWERS_WITHIN))).get("id") is None:
            pass  # an event
        return answer


_NO_PAGE_YET = ("Not attached to an active page", "Cannot find default execution context")
_ENTER_STROKE = {"key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}
