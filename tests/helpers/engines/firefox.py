"""Firefox, by Marionette: it takes WebDriver's commands itself, over a socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.helpers.engines.engine import ANSWERS_WITHIN, end, start
from tests.helpers.engines.webdriver import WebDriver
from tests.helpers.free_port import free_port
from tests.helpers.shop import until

_QUIET = {
    "app.update.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}
"""It asks no server of its maker's."""


class Firefox(WebDriver):
    """Firefox without a window, with a profile in the folder."""

    name = "Firefox"

    def __init__(self, path: str, profile: Path) -> None:
        port = free_port()
        preferences = {**_QUIET, "marionette.port": port}
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in preferences.items()]
        (profile / "user.js").write_text("".join(lines), "utf-8")
        options = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
        self._process = start([path, *options, "--profile", str(profile)], HOME=str(profile))
        self._socket = until(
            lambda: _connection(port), lambda: "Firefox did not start", within=ANSWERS_WITHIN
        )
        self._received = self._socket.makefile("rb")
        self._number = 0
        self._receive()  # its greeting
        self.version = self.call("NewSession")["capabilities"]["browserVersion"]

    def call(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, f"WebDriver:{command}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, number, error, result = self._receive()
        if error or number != self._number:
            raise RuntimeError(f"Firefox, {command}: {error}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def hide(self) -> None:
        self._cover = self.call("NewWindow", type="tab", focus=True)["handle"]

    def show(self) -> None:
        self.call("SwitchToWindow", handle=self._cover)
        self.call("CloseWindow")
        self.call("SwitchToWindow", handle=self.page, focus=True)

    def quit(self) -> None:
        self._socket.close()
        end(self._process)

    def _receive(self) -> Any:
        """The next message: its length in digits, a colon, and as many bytes of JSON."""
        length = b"".join(iter(lambda: self._received.read(1), b":"))
        return json.loads(self._received.read(int(length)))


def _connection(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), ANSWERS_WITHIN)
    except OSError:
        return None
