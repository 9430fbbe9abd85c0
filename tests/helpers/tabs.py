"""A Chromium of real tabs, without DevTools on its pages.

Playwright keeps every page visible and DevTools on a page turns prerendering off, so what depends
on visibility is tested here: tabs are opened and switched over Chromium's HTTP interface, and the
result is read from the database.
"""

import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import connect

from tests.helpers.shop import until

FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


class Tabs:
    """The tabs of one browser."""

    def __init__(self, port: int) -> None:
        self._port = port

    @property
    def version(self) -> dict[str, str]:
        """What the browser says of itself."""
        return self._call("version")

    def socket(self, tab: str) -> str:
        """The address at which the tab takes commands."""
        [found] = [each for each in self._call("list") if each["id"] == tab]
        return found["webSocketDebuggerUrl"]

    def open(self, url: str) -> str:
        """A new tab in front; its id."""
        return self._call(f"new?{url}", "PUT")["id"]

    def open_behind(self, url: str) -> str:
        """A new tab in the background; its id."""
        with connect(self.version["webSocketDebuggerUrl"]) as browser:
            parameters = {"url": url, "background": True}
            command = {"id": 1, "method": "Target.createTarget", "params": parameters}
            browser.send(json.dumps(command))
            return json.loads(browser.recv())["result"]["targetId"]

    def show(self, tab: str) -> None:
        """Bring the tab to the front."""
        self._call(f"activate/{tab}")

    def close(self, tab: str) -> None:
        self._call(f"close/{tab}")

    def _call(self, command: str, method: str = "GET"):
        url = f"http://127.0.0.1:{self._port}/json/{command}"
        with urllib.request.urlopen(
            urllib.request.Request(url, method=method), timeout=10
        ) as reply:
            text = reply.read().decode()
        return json.loads(text) if text[:1] in "[{" else text


@contextmanager
def open_tabs(browser: str) -> Iterator[Tabs]:
    """A browser with one empty tab."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [browser, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [*arguments, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port_file = Path(profile, "DevToolsActivePort")
            until(
                lambda: port_file.exists() and port_file.read_text().strip(),
                lambda: "Chromium did not start",
                within=30,
            )
            yield Tabs(int(port_file.read_text().split()[0]))
        finally:
            process.terminate()
            process.wait(20)
