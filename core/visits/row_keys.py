"""The numbers by which stored rows name a page, a chat and a kind (`core.tables.visit_rows`)."""

from __future__ import annotations

from hashlib import blake2b

from core.visits.presence import ChangeKind, SpanKind

SPAN_KINDS = {SpanKind.IN_VIEW: 0, SpanKind.ACTIVE: 1, SpanKind.CHATTING: 2}
CHANGE_KINDS = {
    ChangeKind.PAGE: 0,
    ChangeKind.ATTRIBUTES: 1,
    ChangeKind.CART: 2,
    ChangeKind.COUNTRY: 3,
    ChangeKind.SHOWN: 4,
}
"""What the views show these as stands in a migration too: numbers are added, never changed."""


def page_id(path: str, title: str, page_context: str) -> int:
    """The id of what a page says of itself: a hash of 63 bits, so that no writer has to look for it."""
    text = "\0".join((path, title, page_context)).encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 1


def chat_tab(conversation_id: str) -> int:
    """The tab of our own chat, which belongs to no tab: below 0, other than any other chat's of the visit."""
    return ~(int.from_bytes(blake2b(conversation_id.encode(), digest_size=4).digest()) >> 1)
