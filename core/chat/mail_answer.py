"""An answer to a left message by the agent's own mail program."""

from __future__ import annotations

import re
from urllib.parse import quote

from core.chat.contact import ADDRESS

LONGEST_MAILTO = 1_800
"""Characters of the whole address: some mail programs take no more than 2,000 (own)."""

_CUT = "…"


def mailto(email: str, site_name: str, text: str) -> str:
    """The mailto: address that opens a mail to the visitor, with a subject and their words as a quotation;
    "" without such an address: a page may have told several, or none. The quotation is cut so that the whole has LONGEST_MAILTO characters at most."""
    if not re.fullmatch(ADDRESS, email):
        return ""
    start = (
        f"mailto:{_encoded(email, '@')}?subject={_encoded(f'Your message to {site_name}')}&body="
    )
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
    quoted = "\r\n".join(f"> {line}" for line in text.split("\n"))
    return _encoded(f"\r\n\r\n{quoted}\r\n")


def _encoded(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
