"""The files that the pages of a test offer: what a click on a button would make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st


def drawn_downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Any]]:
    """What makes the file of each button that was drawn last, by its label."""
    drawn: dict[str, Callable[[], Any]] = {}
    button = st.download_button

    def draw(label: str, data: Callable[[], Any], **options: Any) -> bool:
        drawn[label] = data
        return button(label, data, **options)

    monkeypatch.setattr(st, "download_button", draw)
    return drawn
