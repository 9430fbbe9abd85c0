"""An answer to a left message by mail: to whom, and what it quotes; and by the agent's own mail program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile, takewhile
from urllib.parse import quote

from core.chat.contact import ADDRESS
from core.chat.states import Author
from core.tables import Message

LONGEST_MAILTO = 1_800
"""Characters of the whole address: some mail programs take no more than 2,000 (own)."""

_CUT = "…"


def recipient(email: str) -> str:
    """The address if it is one that can be written to; "" else: a page may have told several, or none."""
    return email if re.fullmatch(ADDRESS, email) else ""


def subject_of(site_name: str) -> str:
    """The subject of an answer."""
    return f"Your message to {site_name}"


def question_of(messages: Sequence[Message]) -> str:
    """All that the visitor has left, of the conversation's messages by number: what they have said since an agent
    talked with them. Answers by mail come after it."""

    def is_visitors(message: Message) -> bool:
        return message.author == Author.VISITOR

    newest_first = dropwhile(lambda message: not is_visitors(message), reversed(messages))
    left = list(takewhile(is_visitors, newest_first))
    return "\n\n".join(message.text for message in reversed(left))


def quoted(text: str) -> str:
    """The text as a quotation, line by line."""
    return "\n".join(f"> {line}" for line in text.split("\n"))


def mailto(email: str, site_name: str, text: str) -> str:
    """The mailto: address that opens a mail to the visitor, with a subject and their words as a quotation;
    "" without such an address (`recipient`). The quotation is cut so that the whole has LONGEST_MAILTO characters
    at most."""
    if not recipient(email):
        return ""
    start = f"mailto:{_encoded(email, '@')}?subject={_encoded(subject_of(site_name))}&body="
    room = LONGEST_MAILTO - len(start)
    whole = _body(text)
    if len(whole) <= room:
        return start + whole
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(_body(text[:middle] + _CUT)) <= room:
            fits = middle
        else:
            too_long = middle
    return start + _body(text[:fits] + _CUT)


def _body(text: str) -> str:
    """Two empty lines for the answer, and the quotation; line ends as RFC 6068 has them."""
    lines = quoted(text).replace("\n", "\r\n")
    return _encoded(f"\r\n\r\n{lines}\r\n")


def _encoded(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
