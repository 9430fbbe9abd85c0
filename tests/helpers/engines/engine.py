"""A browser as the tests of all engines use it: one small interface for Chromium, Firefox and WebKit."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any, Protocol

ANSWERS_WITHIN = 60
"""Seconds within which a browser must start, or answer, on a busy machine."""

ENTER = "\ue007"
"""The key as WebDriver writes it (w3.org/TR/webdriver2, "Keyboard actions")."""


class Engine(Protocol):
    """A running browser with one page."""

    name: str
    version: str

    def open(self, url: str) -> None:
        """Open the page in a new tab in front, in place of the one before."""
        ...

    def go(self, url: str) -> None:
        """Go to the page, as by an address that is typed."""
        ...

    def back(self) -> None:
        """Go back, as by the browser's button."""
        ...

    def hide(self) -> None:
        """Take the page out of view, without leaving it."""
        ...

    def show(self) -> None:
        """Bring the page back into view."""
        ...

    def evaluate(self, expression: str) -> Any:
        """The value of the JavaScript expression in the page."""
        ...

    def press(self, keys: str) -> None:
        """Press the keys one after the other, as a person does, on what has the focus."""
        ...

    def quit(self) -> None: ...


def start(command: list[str], **variables: str) -> subprocess.Popen[bytes]:
    """A browser's process, which leads a group of its own."""
    return subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
