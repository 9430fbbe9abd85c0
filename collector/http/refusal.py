"""Why a connection is refused or ended by the collector itself, before any route has seen a request."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from collector.http.responses import CORS


class Refusal(StrEnum):
    """The reason as `/metrics` counts it, the status that the peer gets, and one line for it."""

    status: int
    line: str

    def __new__(cls, value: str, status: int = 0, line: str = "") -> Refusal:
        """0 as the status: the connection ends without a word."""
        refusal = str.__new__(cls, value)
        refusal._value_ = value
        refusal.status = status
        refusal.line = line
        return refusal

    MALFORMED = "malformed", 400, "this is not HTTP/1.1"
    VERSION = "version", 400, "use HTTP/1.1 or HTTP/1.0"
    HOST = "host", 400, "send one Host header"
    TARGET = "target", 400, "ask for a path of this host"
    ENCODING = "encoding", 400, "send the body with a Content-Length, or chunked by HTTP/1.1"
    SLOW_HEAD = "slow_head", 408, "the head did not arrive in time"
    SLOW_BODY = "slow_body", 408, "the body did not arrive in time"
    BODY_SIZE = "body_size", 413, "the body is too large"
    TARGET_SIZE = "target_size", 414, "the address is too long"
    HEAD_SIZE = "head_size", 431, "the head is too large"
    HEADERS = "headers", 431, "there are too many headers"
    PIPELINED = "pipelined"
    SILENT = "silent"
    UNREAD = "unread"
    MADE_ROOM = "made_room"
    ADDRESS_FULL = "address_full"
    FULL = "full"

    @property
    def response(self) -> bytes:
        """The whole response, after which the connection ends. Any page may read it."""
        body = f"{self.line}\n".encode()
        headers = {
            **CORS,
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        head = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        head += [f"{name.lower()}: {value}" for name, value in headers.items()]
        return "\r\n".join([*head, "", ""]).encode() + body


class RequestRefused(Exception):
    """Raised where the parser calls back, so that it stops."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
