"""Whether ua-parser takes a user agent for a crawler, which it knows as a family of devices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ua_parser import Parser

_SPIDER = "Spider"
_COMMON = (_SPIDER, "Generic Smartphone", "Generic Tablet")
_KINDLE = " (Silk|Kindle)/"
"""Amazon's tablets have a word that is also a crawler's."""


def is_spider(user_agent: str) -> bool:
    """Whether the first pattern of a device that fits is that of a crawler.

    There are 633 patterns, which take 15 MB and 0.1 s to load, and crawlers have seven. So a few are tried first, in
    the same order: only when those take it for a crawler may one of the others know better.
    """
    return _says_spider(_few_devices(), user_agent) and _says_spider(_all_devices(), user_agent)


def _says_spider(parser: Parser, user_agent: str) -> bool:
    device = parser.parse_device(user_agent)
    return device is not None and device.family == _SPIDER


@cache
def _few_devices() -> Parser:
    """The crawlers' patterns, and those before the last one that fit most phones and tablets."""
    few = [each for each in _matchers() if each.family in _COMMON or each.regex.startswith(_KINDLE)]
    return _parser_of(few)


@cache
def _all_devices() -> Parser:
    return _parser_of(_matchers())


def _matchers() -> Sequence[Any]:
    from ua_parser import load_lazy_builtins

    return cast("Sequence[Any]", load_lazy_builtins()[2])


def _parser_of(matchers: Sequence[Any]) -> Parser:
    from ua_parser import Parser

    return Parser.from_matchers(([], [], list(matchers)))
