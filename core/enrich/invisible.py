"""Characters that cannot be seen but that writing needs: kept where they do their work, else dropped.

Persian, Indic and some German words have joiners in them, right-to-left text has marks of direction, emoji have
variation selectors and flags have tags. Anywhere else these hide text, or break it up unseen.
"""

import re
from unicodedata import bidirectional, category
from urllib.parse import quote

_NON_JOINER = "\u200c"
_ZERO_WIDTH_JOINER = "\u200d"
_OVERRIDES = "\u202d\u202e"  # they show letters in a wrong order, even in pairs
_EMBEDDINGS = "\u202a\u202b"
_END_OF_EMBEDDING = "\u202c"
_ISOLATES = "\u2066\u2067\u2068"
_END_OF_ISOLATE = "\u2069"
_MARKS = "\u061c\u200e\u200f"  # Arabic letter, left-to-right and right-to-left mark

_DIRECTION = re.compile(
    f"[{_OVERRIDES}{_EMBEDDINGS}{_END_OF_EMBEDDING}{_ISOLATES}{_END_OF_ISOLATE}{_MARKS}]"
)
_TAG = re.compile("[\U000e0000-\U000e007f]")
# England, Scotland, Wales: the black flag, its subdivision in tags, and the tag that ends it.
_FLAG_OR_TAG = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|[\U000e0000-\U000e007f]"
)
# Zero-width space, joiners, word joiner, Mongolian vowel separator.
_JOINERS = "\u180e\u200b\u200c\u200d\u2060"
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_ATTACHED = re.compile(f"[{_JOINERS}{_SELECTORS}]")
# From Hebrew and Arabic over the scripts of India to Myanmar; their like in later blocks.
_JOINING_SCRIPTS = re.compile(
    "[\u0590-\u109f\u1700-\u1cff\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e800-\U0001efff]"
)
_KEYCAPS = "0123456789#*"


def drop_loose(line: str) -> str:
    """The line without the invisible characters that do no work where they stand."""
    if _DIRECTION.search(line):
        line = _drop_loose_direction(line)
    if _TAG.search(line):
        line = _FLAG_OR_TAG.sub(r"\1", line)
    return _drop_loose_attached(line) if _ATTACHED.search(line) else line


def drop_direction(text: str) -> str:
    """The text without marks, embeddings, overrides and isolates, for addresses."""
    return _DIRECTION.sub("", text)


def escape_direction(text: str) -> str:
    """The text with the same characters as browsers escape them in a path."""
    return _DIRECTION.sub(lambda char: quote(char[0]), text)


def _drop_loose_direction(line: str) -> str:
    if not any(bidirectional(char) in ("R", "AL") and category(char)[0] == "L" for char in line):
        return drop_direction(line)
    paired = _paired(line)
    return "".join(
        char
        for at, char in enumerate(line)
        if at in paired or char in _MARKS or not _DIRECTION.match(char)
    )


def _paired(line: str) -> set[int]:
    """The places of embeddings and isolates that end, and of their ends."""
    paired: set[int] = set()
    opened: list[tuple[int, str]] = []
    isolates = 0
    for at, char in enumerate(line):
        if char in _ISOLATES:
            isolates += 1
            opened.append((at, char))
        elif char in _EMBEDDINGS or char in _OVERRIDES:
            opened.append((at, char))
        elif char == _END_OF_EMBEDDING and opened and opened[-1][1] not in _ISOLATES:
            began_at, began = opened.pop()
            if began in _EMBEDDINGS:
                paired |= {began_at, at}
        elif char == _END_OF_ISOLATE and isolates:
            isolates -= 1
            while opened[-1][1] not in _ISOLATES:  # an embedding ends with the isolate around it
                opened.pop()
            paired |= {opened.pop()[0], at}
    return paired


def _drop_loose_attached(line: str) -> str:
    kept: list[str] = []
    # By the last letter, or a mark on it: whether a word goes on, and in a joining script.
    is_in_word = is_joining = False
    for at, char in enumerate(line):
        before, after = kept[-1] if kept else "", line[at + 1 : at + 2]
        if char in _JOINERS:
            joins_letters = is_joining or _is_joining_letter(after)
            if char in (_NON_JOINER, _ZERO_WIDTH_JOINER):
                joins_letters |= is_in_word and after.isalpha()
            if not (joins_letters or _joins_emoji(char, before, after)):
                continue
        elif _ATTACHED.match(char) and not _selects(before):
            continue
        kept.append(char)
        kind = category(char)[0]
        is_in_word = kind == "L" or (is_in_word and kind == "M")
        is_joining = (is_joining and kind == "M") or (
            kind in "LM" and _JOINING_SCRIPTS.match(char) is not None
        )
    return "".join(kept)


def _is_joining_letter(char: str) -> bool:
    return char.isalpha() and _JOINING_SCRIPTS.match(char) is not None


def _joins_emoji(joiner: str, before: str, after: str) -> bool:
    if joiner != _ZERO_WIDTH_JOINER or not before or not after:
        return False
    # Behind a symbol, its skin tone, or the selector of a heart.
    is_behind_emoji = before == "\ufe0f" or category(before) in ("So", "Sk")
    return is_behind_emoji and category(after) in ("So", "Sm")


def _selects(before: str) -> bool:
    """Whether a variation selector has a character to vary; more than one hides data."""
    if not before or _ATTACHED.match(before) or before.isspace():
        return False
    return not before.isascii() or before in _KEYCAPS
