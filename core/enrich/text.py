"""Text that a visitor's browser sent: made safe to store and to show, never refused."""

import re
import sys
import unicodedata

from core.enrich.invisible import drop_direction, drop_loose, escape_direction
from core.enrich.readable_path import readable_path
from core.enrich.url import split_url

LONGEST_PATH = 1_024
LONGEST_PATH_SENT = 2_048
"""As a browser escapes it: a letter takes up to nine characters, an emoji twelve."""
LONGEST_REFERRER = 1_024
LONGEST_ATTRIBUTE_NAME = 32
LONGEST_ATTRIBUTE = 200
REFERRER_SCHEMES = ("http", "https", "android-app")

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_EMPTY_LINES = re.compile(r"\n{3,}")
_SPACES = (*range(0x09, 0x0E), 0x85)
# What no writing needs. The others are looked at where they stand: core/enrich/invisible.py
_INVISIBLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x2061, 0x2065),  # invisible operators
    (0x206A, 0x206F),  # deprecated format characters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # interlinear annotations
)


def clean(text: str, limit: int) -> str:
    """The text in NFC on one line, at most `limit` code points, without what deceives.

    Control characters and noncharacters are dropped, and invisible ones (bidi, zero-width, tags)
    that do no work where they stand. A lone surrogate becomes U+FFFD, runs of white space one space.
    """
    if (
        text.isascii()
        and text.isprintable()
        and len(text) <= limit
        and not ("  " in text or text[:1] == " " or text[-1:] == " ")
    ):
        return text  # most of them: nothing below would change it
    if not text.isprintable():
        text = text.translate(_UNWANTED)
    # NFC sorts runs of combining marks in quadratic time, hence a first cut (it may shorten).
    text = _settle(unicodedata.normalize("NFC", " ".join(text.split())[: 2 * limit]))
    # The second cut may part what belongs together: a pair, a flag.
    return text if len(text) <= limit else _settle(text[:limit])[:limit].rstrip()


def clean_lines(text: str, limit: int) -> str:
    """As `clean`, but each line for itself: the line feeds stay, three and more become two."""
    # Cut before the work, so that a megabyte costs no more than a message.
    lines = text[: 2 * limit].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join(clean(line, limit) for line in lines).strip("\n")
    *whole, last = _EMPTY_LINES.sub("\n\n", kept)[:limit].split("\n")
    return "\n".join([*whole, clean(last, limit)]).rstrip()


def clean_path(path: str) -> str:
    """A path of this site, readable: beginning with exactly one "/", at most 1,024 code points.

    What is no path ("javascript:...", "https://evil.example/") becomes "/". A backslash counts
    as a leading slash, because browsers take `/\\evil.example` for another site.
    """
    path = clean(escape_direction(path[:LONGEST_PATH_SENT]), LONGEST_PATH_SENT)
    if not path.startswith(("/", "\\")):
        return "/"
    return readable_path("/" + path.lstrip("/\\ "), LONGEST_PATH)


def clean_referrer(referrer: str) -> str:
    """The referrer without credentials, query and fragment, at most 1,024 code points.

    Empty when it is no http, https or android-app URL, or cannot be parsed.
    """
    url = split_url(clean(drop_direction(referrer), 4 * LONGEST_REFERRER))
    if url is None or url.scheme not in REFERRER_SCHEMES:
        return ""
    return clean(f"{url.scheme}://{url.host}{url.port}{url.path or '/'}", LONGEST_REFERRER)


def _settle(line: str) -> str:
    """The line without what is loose; what is dropped may leave two spaces, or a letter and its accent."""
    return unicodedata.normalize("NFC", " ".join(drop_loose(line).split()))


def _unwanted() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
    table |= dict.fromkeys(_SPACES, " ")
    for first, last in _INVISIBLE:
        table |= dict.fromkeys(range(first, last + 1))
    table |= dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)
    table |= dict.fromkeys(range(0xFDD0, 0xFDF0))
    for plane in range(0, sys.maxunicode, 0x10000):
        table |= dict.fromkeys((plane + 0xFFFE, plane + 0xFFFF))
    return table


_UNWANTED = _unwanted()
