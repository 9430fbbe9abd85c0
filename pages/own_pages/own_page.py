"""The owner's own pages: which there are, and each drawn with its errors in its own place."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st

from core.accounts.identity import Role
from core.settings import SettingsError, settings
from pages.own_pages.loaded_page import load_page
from pages.own_pages.page_file import PageWords, words_of
from pages.parts.notices import draw_unanswered
from pages.parts.texts import heading, notice
from pages.parts.title import draw_title
from pages.parts.viewer import REFUSALS, may

FILE = "page.py"
HAS_ERROR = "This page has an error."
FOR_OTHERS = "Who runs Visitor Monitor wrote it, and sees here what is wrong."

_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_log = logging.getLogger("pages.own")


@dataclass(frozen=True)
class OwnPage:
    """A page of the owner's: its file, its address in the dashboard, and what it says of itself."""

    file: Path
    address: str
    words: PageWords

    def draw(self) -> None:
        """Draw it. What it raises is told in its place, with the line of its own files, and breaks no other page."""
        draw_title(self.words.title)
        place = st.empty()
        try:
            with place.container():
                load_page(self.file)()
        except REFUSALS as error:
            draw_unanswered(error)
        except Exception as error:
            with place.container():
                self._draw_error(error)

    def _draw_error(self, error: Exception) -> None:
        at = _place(error, self.file.parent)
        # Its text may hold what a visitor wrote.
        _log.error("own_page_failed: file=%s at=%s error=%s", self.file, at, type(error).__name__)
        heading(self.words.title)
        text = f"{at}: {type(error).__name__}: {error}" if may(Role.ADMIN) else FOR_OTHERS
        notice(text, title=HAS_ERROR, kind="bad")


def own_pages() -> Sequence[OwnPage]:
    """The pages of MONITOR_PAGES_DIR, by the names of their folders; none while there is no such folder."""
    try:
        files = sorted(settings().pages_dir.glob(f"*/{FILE}"))
        states = [file.stat().st_mtime_ns for file in files]
    except SettingsError:  # the page that was opened names it
        return []
    except OSError as fault:
        _log.error("own_pages_unreadable: %s", fault)
        return []
    pages: dict[str, OwnPage] = {}
    for file, state in zip(files, states, strict=True):
        page = OwnPage(file, _address(file), _words(file, state))
        pages.setdefault(page.address, page)
    return [*pages.values()]


@lru_cache(maxsize=200)
def _words(file: Path, _state: int) -> PageWords:
    return words_of(file)


def _address(file: Path) -> str:
    """Never that of a page of the program, of which an upgrade may bring new ones."""
    return f"own-{_OTHER.sub('-', file.parent.name)}"


def _place(error: BaseException, folder: Path) -> str:
    """The file and the line of the owner's where it was raised: "sales/page.py, line 12"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename, folder)}, line {error.lineno}"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder)
    ]
    return (
        f"{_short(own[-1].filename, folder)}, line {own[-1].lineno}"
        if own
        else f"{folder.name}/{FILE}"
    )


def _short(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder.parent)) if path.is_relative_to(folder.parent) else file
