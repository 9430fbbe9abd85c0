"""WebKit, by WebKitGTK's driver, which takes WebDriver's commands over HTTP, on a screen of its own."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from tests.helpers.engines.engine import ANSWERS_WITHIN, end, start
from tests.helpers.engines.webdriver import WebDriver
from tests.helpers.free_port import free_port
from tests.helpers.shop import until

_COMMANDS = {
    "Back": ("POST", "/back"),
    "CloseWindow": ("DELETE", "/window"),
    "DeleteSession": ("DELETE", ""),
    "ExecuteScript": ("POST", "/execute/sync"),
    "MinimizeWindow": ("POST", "/window/minimize"),
    "Navigate": ("POST", "/url"),
    "NewWindow": ("POST", "/window/new"),
    "PerformActions": ("POST", "/actions"),
    "SetWindowRect": ("POST", "/window/rect"),
    "SwitchToWindow": ("POST", "/window"),
}
"""Method and address of each command, below the session's."""


class WebKit(WebDriver):
    """WebKitGTK's own small browser, with its files in the folder."""

    name = "WebKit"
    kind = "window"  # the driver brings no tab to the front

    def __init__(self, driver: str, screen: str, folder: Path) -> None:
        self._screen, display = _start_screen(screen)
        port = free_port()
        self._driver = start(
            [driver, f"--port={port}"],
            DISPLAY=display,
            HOME=str(folder),
            LIBGL_ALWAYS_SOFTWARE="1",
            NO_AT_BRIDGE="1",
            WEBKIT_DISABLE_COMPOSITING_MODE="1",
            WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS="1",  # it needs rights that containers lack
        )
        self._address = f"http://127.0.0.1:{port}"
        until(self._is_ready, lambda: "WebKitWebDriver did not start", within=ANSWERS_WITHIN)
        session = self._request("POST", "/session", {"capabilities": {}})
        self._address += f"/session/{session['sessionId']}"
        self.version = session["capabilities"]["browserVersion"]

    def call(self, command: str, **parameters: Any) -> Any:
        return self._request(*_COMMANDS[command], parameters)

    def hide(self) -> None:
        self.call("MinimizeWindow")

    def show(self) -> None:
        self.call("SetWindowRect", x=0, y=0, width=1000, height=700)

    def quit(self) -> None:
        with suppress(RuntimeError, OSError):
            self.call("DeleteSession")
        end(self._driver)
        end(self._screen)

    def _is_ready(self) -> bool:
        with suppress(URLError):
            return self._request("GET", "/status")["ready"]
        return False

    def _request(self, method: str, path: str, parameters: dict[str, Any] | None = None) -> Any:
        body = json.dumps(parameters).encode() if method == "POST" else None
        request = urllib.request.Request(self._address + path, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as answer:
                return json.loads(answer.read())["value"]
        except HTTPError as error:
            raise RuntimeError(f"WebKit, {method} {path}: {error.read().decode()}") from None


def _start_screen(path: str) -> tuple[subprocess.Popen[bytes], str]:
    """A screen in memory, on the first free display, and the display's name."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [path, "-displayfd", str(writing), "-nolisten", "tcp"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as lines:
        return process, f":{lines.readline().strip()}"
