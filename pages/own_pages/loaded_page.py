"""The code of an own page: loaded once, and anew as soon as one of its files has changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from threading import Lock
from typing import NamedTuple

_PACKAGE = "own_page_{}"
_versions = count(1)
_loading = Lock()


class NoDrawPage(Exception):
    """The file has no function draw_page."""


class _LoadedPage(NamedTuple):
    state: tuple[tuple[str, int], ...]
    package: str
    draw: Callable[[], object]


_loaded: dict[Path, _LoadedPage] = {}


def load_page(file: Path) -> Callable[[], object]:
    """The function draw_page of the file, which is run if it or a file beside it has changed since.

    Raises whatever running the file raises, and NoDrawPage. The folder is a package of its own, so that the
    file can import those beside it: `from .orders import chart`. Each version of it has another name: a page
    that is drawn just now keeps the one that it began with.
    """
    with _loading:
        state = _state(file.parent)
        known = _loaded.get(file)
        if known is None or known.state != state:
            known = _LoadedPage(state, *_load(file))
            _replace(file, known)
        return known.draw


def _state(folder: Path) -> tuple[tuple[str, int], ...]:
    files = sorted(folder.rglob("*.py"))
    return tuple((str(each), each.stat().st_mtime_ns) for each in files)


def _load(file: Path) -> tuple[str, Callable[[], object]]:
    package = _PACKAGE.format(next(_versions))
    folder = ModuleSpec(package, None, is_package=True)
    folder.submodule_search_locations = [str(file.parent)]
    spec = spec_from_file_location(f"{package}.page", file)
    assert spec is not None and spec.loader is not None
    sys.modules[package] = module_from_spec(folder)
    page = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(page)
        draw = getattr(page, "draw_page", None)
        if not callable(draw):
            raise NoDrawPage("it has no function draw_page()")
    except BaseException:
        _forget(package)
        raise
    return package, draw


def _replace(file: Path, loaded: _LoadedPage) -> None:
    before = _loaded.get(file)
    _loaded[file] = loaded
    if before is not None:
        _forget(before.package)


def _forget(package: str) -> None:
    for name in [*sys.modules]:
        if name == package or name.startswith(f"{package}."):
            del sys.modules[name]
