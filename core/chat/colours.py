"""Colours that can be seen: contrast as WCAG 2.2 has it, and the nearest colour that has enough of it."""

from __future__ import annotations

import colorsys
import re

LIGHT_PAGE, DARK_PAGE = "#ffffff", "#1e1e1e"
"""The browsers' own background (`Canvas`): white, and of their dark ones the lightest, Safari's."""

WHITE, BLACK = "#ffffff", "#000000"

TEXT_CONTRAST = 4.5
"""Of text on its background (WCAG 2.2, 1.4.3)."""

SHAPE_CONTRAST = 3.0
"""Of a button on what is around it (WCAG 2.2, 1.4.11)."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_STEPS = 200


def is_colour(text: str) -> bool:
    """Whether it is #rrggbb, in small letters."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """White or black, whichever can be read better on the colour."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, colour))


def is_seen(colour: str) -> bool:
    """Whether text on the colour can be read, and the colour is seen on a light page and on a dark one."""
    return contrast(text_on(colour), colour) >= TEXT_CONTRAST and all(
        contrast(colour, page) >= SHAPE_CONTRAST for page in (LIGHT_PAGE, DARK_PAGE)
    )


def nearest_seen(colour: str) -> str:
    """The colour of the same hue and saturation that `is_seen`, and whose lightness is the nearest."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    steps = sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness))
    others = (_hex(colorsys.hls_to_rgb(hue, step / _STEPS, saturation)) for step in steps)
    return colour if is_seen(colour) else next(filter(is_seen, others))


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
