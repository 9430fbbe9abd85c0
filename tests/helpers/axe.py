"""What axe finds on a page, in both themes."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.helpers.screens import keep_screenshot, wait_until_drawn

_HARMFUL = ("serious", "critical")
_BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 31)"}


def assert_axe_finds_nothing_serious(page: Page, name: str) -> None:
    """Look at a page of the dashboard in both themes, and keep a picture of each under the name.

    It must not be cut off at the side either.
    """
    size = page.viewport_size
    assert size is not None
    for theme, background in _BACKGROUNDS.items():
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        keep_screenshot(page, f"{name}-{size['width']}-{theme}")
        wait_until_drawn(page)  # axe reads colours
        found = Axe().run(page).response["violations"]
        harmful = [each for each in found if each["impact"] in _HARMFUL]
        assert [(each["id"], each["nodes"][0]["html"]) for each in harmful] == [], theme
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
