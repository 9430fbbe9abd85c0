"""The engines of this machine, by their names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.helpers.engines.chromium import Chromium
from tests.helpers.engines.engine import Engine
from tests.helpers.engines.firefox import Firefox
from tests.helpers.engines.webkit import WebKit

ENGINES = ("Chromium", "Firefox", "WebKit")


@contextmanager
def open_engines(chromium: str, folder: Path) -> Iterator[Callable[[str], Engine]]:
    """A function that gives the engine of a name: it is started once, and ends with all.

    A missing one fails the test.
    """
    start: dict[str, Callable[[Path], Engine]] = {
        "Chromium": lambda _: Chromium(chromium),
        "Firefox": lambda profile: Firefox(_path("firefox-esr", "firefox"), profile),
        "WebKit": lambda home: WebKit(_path("WebKitWebDriver"), _path("Xvfb"), home),
    }
    running: dict[str, Engine] = {}
    with ExitStack() as exits:

        def find(name: str) -> Engine:
            if name not in running:
                (folder / name).mkdir(exist_ok=True)
                running[name] = start[name](folder / name)
                exits.callback(running[name].quit)
            return running[name]

        yield find


def _path(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.fail(
            f"No {names[0]}: run apt-get install firefox-esr webkit2gtk-driver xvfb", pytrace=False
        )
    return found
