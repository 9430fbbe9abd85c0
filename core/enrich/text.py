"""Text that a visitor's browser sent: made safe to store and to show, never refused."""

import re
import sys
import unicodedata

from core.enrich.url import split_url

LONGEST_PATH = 1_024
LONGEST_REFERRER = 1_024
REFERRER_SCHEMES = ("http", "https", "android-app")

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_EMPTY_LINES = re.compile(r"\n{3,}")
_SPACES = (*range(0x09, 0x0E), 0x85)
# Zero-width joiner (U+200D) is missing on purpose: it holds emoji such as families together.
_INVISIBLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x061C, 0x061C),  # Arabic letter mark
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200C),  # zero-width space, non-joiner
    (0x200E, 0x200F),  # left-to-right and right-to-left marks
    (0x202A, 0x202E),  # bidi embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # interlinear annotations
    (0xE0000, 0xE007F),  # tags: text that only machines see
)


def clean(text: str, limit: int) -> str:
    """The text in NFC on one line, at most `limit` code points, without what cannot be seen.

    Control, bidi and zero-width characters and noncharacters are dropped, a lone surrogate
    becomes U+FFFD, runs of white space become one space.
    """
    if not text.isprintable():
        text = text.translate(_UNWANTED)
    # NFC sorts runs of combining marks in quadratic time, hence a first cut (it may shorten).
    text = " ".join(text[: 2 * limit].split())
    return unicodedata.normalize("NFC", text)[:limit].rstrip()


def clean_lines(text: str, limit: int) -> str:
    """As `clean`, but each line for itself: the line feeds stay, three and more become two."""
    # Cut before the work, so that a megabyte costs no more than a message.
    lines = text[: 2 * limit].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join(clean(line, limit) for line in lines).strip("\n")
    return _EMPTY_LINES.sub("\n\n", kept)[:limit].rstrip()


def clean_path(path: str) -> str:
    """A path of this site: clean, beginning with exactly one "/", at most 1,024 code points.

    What is no path ("javascript:...", "https://evil.example/") becomes "/". A backslash counts
    as a leading slash, because browsers take `/\\evil.example` for another site.
    """
    path = clean(path, 2 * LONGEST_PATH)
    if not path.startswith(("/", "\\")):
        return "/"
    return ("/" + path.lstrip("/\\ "))[:LONGEST_PATH].rstrip()


def clean_referrer(referrer: str) -> str:
    """The referrer without credentials, query and fragment, at most 1,024 code points.

    Empty when it is no http, https or android-app URL, or cannot be parsed.
    """
    url = split_url(clean(referrer, 4 * LONGEST_REFERRER))
    if url is None or url.scheme not in REFERRER_SCHEMES:
        return ""
    return f"{url.scheme}://{url.host}{url.port}{url.path or '/'}"[:LONGEST_REFERRER].rstrip()


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
