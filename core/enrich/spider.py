"""Whether ua-parser takes a user agent for a crawler, which it knows as a family of devices."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from ua_parser import Parser, load_lazy_builtins

_SPIDER = "Spider"
_COMMON = (_SPIDER, "Generic Smartphone", "Generic Tablet")
_KINDLE = " (Silk|Kindle)/"
"""Amazon's tablets have a word that is also a crawler's."""


def is_spider(user_agent: str) -> bool:
    """Whether the first pattern of a device that fits is that of a crawler.

    There are 633 patterns, which take 15 MB and 0.1 s to load, and crawlers have seven. So a few are tried first, in
    the same order: only when those take it for a crawler may one of the others know better.
    """
    return _says_spider(_few, user_agent) and _says_spider(_all_devices(), user_agent)


def _says_spider(parser: Parser, user_agent: str) -> bool:
    device = parser.parse_device(user_agent)
    return device is not None and device.family == _SPIDER


def _parser_of_few() -> Parser:
    """The crawlers' patterns, and those before the last one that fit most phones and tablets."""
    devices = cast("Sequence[Any]", load_lazy_builtins()[2])
    few = [each for each in devices if each.family in _COMMON or each.regex.startswith(_KINDLE)]
    return Parser.from_matchers(([], [], few))


@lru_cache(maxsize=1)
def _all_devices() -> Parser:
    return Parser.from_matchers(([], [], load_lazy_builtins()[2]))


_few = _parser_of_few()
