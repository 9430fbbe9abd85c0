"""The chat's dialog in any engine, read and used by the keyboard; see dialog.py for Chromium's."""

from __future__ import annotations

import json
import time

from tests.helpers.engines.engine import ENTER, Engine
from tests.helpers.shop import until

_FIND = """(() => {
    const root = document.querySelector('visitor-monitor-chat')?.shadowRoot;
    const all = [...(root?.querySelectorAll(%s) || [])];
    return all.filter(each => each.offsetParent)%s;
})()"""


class VisitorChat:
    """The dialog on the page that is open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lines(self) -> list[str]:
        """The messages in the log."""
        return self._find(".line span", ".map(each => each.textContent)")

    def times(self) -> list[str]:
        """What stands below the messages."""
        return self._find("time", ".map(each => each.textContent).filter(Boolean)")

    def direction(self) -> str:
        """Whether the dialog runs "ltr" or "rtl"."""
        return "".join(self._find(".log", ".map(each => getComputedStyle(each).direction)"))

    def note(self) -> str:
        return "".join(self._find("[role=status]", ".map(each => each.textContent)"))

    def until_offered(self) -> None:
        """Wait until the answer of a beacon has brought something to show."""

        def is_there() -> bool:
            self._engine.evaluate("dispatchEvent(new Event('focus'))")  # a beacon is due
            time.sleep(0.4)
            return bool(self.lines())

        until(is_there, lambda: "the chat does not appear")

    def press_button(self, name: str) -> None:
        """Wait for the button, and press it."""
        choice = f".filter(each => each.textContent === {json.dumps(name)})"
        self._focus("button", choice)
        self._engine.press(ENTER)

    def say(self, text: str) -> None:
        """Write the text into the field, and send it."""
        self._focus("textarea", "")
        self._engine.press(text + ENTER)

    def until_lines(self, *texts: str) -> None:
        """Wait until the log shows exactly these messages."""
        until(lambda: self.lines() == list(texts), lambda: f"the chat shows {self.lines()}")

    def _focus(self, selector: str, choice: str) -> None:
        until(
            lambda: self._find(selector, f"{choice}.map(each => each.focus()).length === 1"),
            lambda: f"the chat has no {selector} {choice}",
        )

    def _find(self, selector: str, read: str):
        return self._engine.evaluate(_FIND % (json.dumps(selector), read))
