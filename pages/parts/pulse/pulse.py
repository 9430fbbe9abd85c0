"""What has a live part of a page drawn anew as soon as its site has changed: see pulse.js.

The browser is told only that the site has changed, and asks for the new picture by itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import streamlit as st

from core.subscribers import SILENT_FOR
from pages.parts.script import component

_FOLDER = Path(__file__).with_name("client")
_KEY, _UNSEEN_KEY = "pulse", "unseen_pulse"


@dataclass(frozen=True)
class MomentLine:
    """The line that says how old the page is.

    moment: which it shows, "14:03:05 (Europe/Berlin)". every: seconds between two refreshes, 0: paused.
    interruption: since when and why nothing new can be shown, in words; "" while all is well.
    """

    moment: str
    time_zone: str
    every: int
    interruption: str = ""


def pushed_revision() -> int:
    """The newest revision that the browser was told of, before this run; 0 at first. For a page that
    draws a pulse with its line."""
    revision = st.session_state.get(_KEY, {}).get("revision")
    return int(revision) if isinstance(revision, int | float) else 0


def draw_pulse(
    site_key: str, revision: int, *, is_pushed: bool = True, line: MomentLine | None = None
) -> None:
    """Have the fragment that calls this drawn again when the site has changed since `revision`.

    That is up to where the page shows every change. `site_key`: "" for any site. A page that is not
    looked at waits until it is.
    """
    _pulse(
        key=_KEY if line else _UNSEEN_KEY,
        data={
            "site": site_key,
            "revision": revision,
            "is_pushed": is_pushed,
            "silent_for": timedelta(seconds=SILENT_FOR) // timedelta(milliseconds=1),
            "line": asdict(line) if line else None,
        },
        on_revision_change=_nothing,
    )


def _nothing() -> None:
    return None


_pulse = component("visitor_monitor_pulse", _FOLDER / "pulse.js", _FOLDER / "pulse.css")
