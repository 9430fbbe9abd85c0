"""Screenshots of a page for people to see, kept where MONITOR_TEST_ARTIFACTS names a folder."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

ARTIFACTS = os.environ.get("MONITOR_TEST_ARTIFACTS", "")
"""The folder; "" where nobody looks: then no test waits for a picture."""

DRAWN_WITHIN = 700
"""Milliseconds in which charts and canvases draw again, and the animation of dialogs ends."""

_TALLEST = 2_600


def keep_screenshot(page: Page, name: str) -> None:
    """Keep what is on the screen."""
    page.mouse.move(0, 0)
    if ARTIFACTS:
        Path(ARTIFACTS).mkdir(exist_ok=True)
        wait_until_drawn(page)
        page.screenshot(path=Path(ARTIFACTS, f"{name}.png"))


def wait_until_drawn(page: Page) -> None:
    """Wait for what moves or fades by itself."""
    page.wait_for_timeout(DRAWN_WITHIN)


def keep_both_themes(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture in light and one in dark; with `whole`, as tall as the content.

    The page must be as wide as its screen, pictures or not. Afterwards it is as before, in light.
    """
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    size = page.viewport_size
    assert size is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if not ARTIFACTS:
        return
    if whole:
        height = page.locator(".stMainBlockContainer").evaluate("main => main.scrollHeight")
        tall = min(max(height + 80, 600), _TALLEST)
        page.set_viewport_size({"width": size["width"], "height": tall})
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        keep_screenshot(page, f"{name}-{size['width']}-{theme}")
    page.set_viewport_size(size)
