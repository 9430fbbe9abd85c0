"""What a browser does by the commands of WebDriver (w3.org/TR/webdriver2), however they reach it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class WebDriver(ABC):
    """An Engine, but for its start, its end, the way of a command, and what takes a page out of view."""

    page: str
    """The window or tab in which the page is."""
    kind = "tab"

    @abstractmethod
    def call(self, command: str, **parameters: Any) -> Any:
        """The command's result; RuntimeError, with the browser's words, where it fails."""

    def open(self, url: str) -> None:
        page = self.call("NewWindow", type=self.kind)["handle"]
        self.call("CloseWindow")
        self.call("SwitchToWindow", handle=page)
        self.page = page
        self.go(url)

    def go(self, url: str) -> None:
        self.call("Navigate", url=url)

    def back(self) -> None:
        self.call("Back")

    def evaluate(self, expression: str) -> Any:
        return self.call("ExecuteScript", script=f"return {expression}", args=[], sandbox=None)

    def press(self, keys: str) -> None:
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("PerformActions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])
