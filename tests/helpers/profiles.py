"""Browser profiles whose pages must throw nothing, and in which the script must log nothing.

Its one warning, of a tag without a key, is read by the tests of the tag.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

STILL: Literal["reduce"] = "reduce"
"""For `reduced_motion` of a browser that looks at the dashboard. The dots of a live page pulse in every
frame: without a graphics card that is a fifth of a core for each page that is open (own). What moves has
tests of its own."""


@contextmanager
def open_profiles(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A maker of profiles; at the end they are closed, and a fault of any page fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**options)
        context.on("weberror", lambda error: faults.append(f"threw {error.error}"))
        context.on(
            "console",
            lambda message: faults.append(f"logged {message.text}") if _is_ours(message) else None,
        )
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def _is_ours(message: ConsoleMessage) -> bool:
    """Whether the script wrote it, not the browser to report a request that failed."""
    is_report = (
        message.text.startswith(("Failed to load resource", "Visitor Monitor: no data-site"))
        or "Security Policy" in message.text
    )
    return "/embed/" in message.location["url"] and not is_report
