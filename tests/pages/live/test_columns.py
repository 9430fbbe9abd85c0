"""The colours can be read, and the columns exist in the frame."""

from __future__ import annotations

import pytest

from core.enrich.page_context import PageContext
from core.visits.presence import Status
from pages.live.data_tab import DIM, STATUS_INK
from pages.parts.colours import CONTEXT_COLOURS, STATUS_COLOURS

PAPER = {"light": "#ffffff", "dark": "#10141f"}
ON_PAPER = [(theme, ink) for theme in PAPER for ink in (DIM[theme], *STATUS_INK[theme].values())]


@pytest.mark.parametrize("colour", CONTEXT_COLOURS.values())
def test_badge_can_be_read(colour) -> None:
    assert contrast(colour.back, colour.text) >= 4.5


@pytest.mark.parametrize("theme", PAPER)
@pytest.mark.parametrize("colour", STATUS_COLOURS.values())
def test_dot_can_be_seen(colour, theme: str) -> None:
    assert contrast(colour.back, PAPER[theme]) >= 3


@pytest.mark.parametrize("theme, ink", ON_PAPER)
def test_text_of_the_data_tab_can_be_read(theme: str, ink: str) -> None:
    assert contrast(ink, PAPER[theme]) >= 4.5


def test_every_context_and_status_has_a_colour() -> None:
    assert set(CONTEXT_COLOURS) == {context.value for context in PageContext if context}
    assert set(STATUS_COLOURS) == {status.value for status in Status}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
