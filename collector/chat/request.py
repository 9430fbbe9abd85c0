"""A chat request on the wire: strict JSON in, a ChatRequest or Malformed out (docs/chat.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from collector.http.json_body import MAX_NUMBER, Malformed, SiteKey, VisitId, decode
from core.chat.contact import ADDRESS, LONGEST_ADDRESS

MAX_REVISION = 2**63 - 1

Token = Annotated[str, Meta(pattern=r"^([a-z0-9]{32})?\Z")]
OptionalTabId = Annotated[str, Meta(pattern=r"^([a-z0-9]{4,16})?\Z")]
ClientId = Annotated[str, Meta(pattern=r"^([a-z0-9]{8,40})?\Z")]
RuleId = Annotated[str, Meta(pattern=r"^([a-z0-9]{1,40})?\Z")]
EmailAddress = Annotated[str, Meta(pattern=rf"^({ADDRESS})?\Z", max_length=LONGEST_ADDRESS)]


class ChatAction(StrEnum):
    """The action of a request: the last part of its path."""

    OPEN = "open"
    SHOWN = "shown"
    ACCEPT = "accept"
    DISMISS = "dismiss"
    SEND = "send"
    TYPING = "typing"
    READ = "read"
    END = "end"
    EMAIL = "email"
    RATE = "rate"
    STREAM = "stream"
    POLL = "poll"
    LISTEN = "listen"


class ChatRequest(Struct):
    """Site key and token; to listen: visit and tab; to open: these, and the text or the rule; to send: id and text;
    to end: why (`ClosedBy`), "": by the visitor's own wish; to be answered by mail: the address; to rate:
    the rating and the text."""

    v: Literal[1]
    k: SiteKey
    c: Token = ""
    s: VisitId = ""
    t: OptionalTabId = ""
    n: ClientId = ""
    x: str = ""
    r: RuleId = ""
    w: Literal["", "consent", "opt_out", "page"] = ""
    e: EmailAddress = ""
    g: Literal["", "good", "bad"] = ""
    to: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] = 0
    after: Annotated[int, Meta(ge=0, le=MAX_REVISION)] = 0


def read_request(action: ChatAction, body: bytes) -> ChatRequest | Malformed:
    """The request with all that its action needs. Half characters are replaced by U+FFFD."""
    request = decode(_decode, body)
    if isinstance(request, Malformed):
        return request
    missing = [name for name in _needed(action, request) if not getattr(request, name)]
    return Malformed(f"Expected a value - at `$.{missing[0]}`") if missing else request


_decode = msgspec.json.Decoder(ChatRequest).decode


def _needed(action: ChatAction, request: ChatRequest) -> str:
    if action is ChatAction.LISTEN:
        return "t"
    if action is ChatAction.OPEN:
        return "t" if request.r else "tn"
    return "c" + _NEEDED.get(action, "")


_NEEDED = {ChatAction.SEND: "n", ChatAction.EMAIL: "e", ChatAction.RATE: "g"}
"""The keys of what an action needs beside the token."""
