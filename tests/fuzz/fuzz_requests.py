"""The requests of a fuzz run: each is made from a seed, so that a run can be made again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.chat.request import ChatAction
from tests.fuzz.hostile_texts import hostile_text
from tests.fuzz.mutated_json import mutated_json, with_hostile_texts, written
from tests.helpers.running_collector import CHROME, ORIGIN

SITE = "fuzz"
BEACON = "/v1/beacon"
HELD = frozenset({ChatAction.STREAM, ChatAction.POLL, ChatAction.LISTEN})
"""Actions whose answer may take long, or have no end."""

_KEPT_OF_BEACON = frozenset("vkstenw")
_KEPT_OF_CALL = frozenset("vkstcnrw")
"""Keys that have to be as they are, so that what is beside them is looked at and stored."""

_EVENTS: tuple[dict[str, Any], ...] = (
    {
        "e": "v",
        "n": 1,
        "o": 0,
        "a": 0,
        "u": "/cart?view=x",
        "q": "route=product/product",
        "d": "Cart",
        "r": "https://www.google.com/search",
        "c": "newsletter",
        "m": "email",
        "g": "november",
        "j": "gclid",
        "x": "cart",
        "xs": "cart",
        "f": 1,
        "l": "de-AT",
        "y": 0,
        "wd": 0,
        "cv": 12.5,
        "cc": "EUR",
    },
    {
        "e": "p",
        "n": 2,
        "p": 1,
        "o": 1.5,
        "a": 3,
        "u": "/cart",
        "d": "Your cart",
        "f": 1,
        "z": "Europe/Berlin",
    },
    {"e": "i", "n": 3, "u": "/", "i": {"name": "Ann Sample", "email": "ann@shop.example"}},
    {"e": "c", "n": 4, "u": "/", "s": "start"},
    {"e": "h", "n": 5, "p": 1, "u": "/cart", "a": 9, "f": 0},
)
_HEADERS = (
    *(
        "User-Agent",
        "Origin",
        "Sec-CH-UA",
        "Sec-CH-UA-Platform",
        "Sec-CH-UA-Mobile",
        "Sec-GPC",
        "Sec-Purpose",
    ),
    *(
        "X-Forwarded-For",
        "CF-IPCountry",
        "Referer",
        "Cookie",
        "Accept-Language",
        "Content-Type",
        "Purpose",
    ),
)
_METHODS = ("GET", "HEAD", "PUT", "OPTIONS", "TRACE", "CONNECT", "post", "P\x00ST", "", "X" * 300)
_PATHS = (
    *(
        "",
        "/",
        "*",
        "/v1/beacon/",
        "//v1/beacon",
        "/v1/../v1/beacon",
        "/v1/beacon%00",
        "/v1/beacon?x=" + "y" * 9000,
    ),
    *(
        "http://other.example/v1/beacon",
        "/v1/conversation/",
        "/v1/conversation/none",
        "/v1/conversation/%2e%2e",
    ),
    *(
        "/v1/\xff\xfe",
        "/embed/../core/settings.py",
        "/v1/conversation/send/..",
        "/metrics",
        "/readyz",
        "/healthz",
    ),
)
_LINES = (
    *(
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: 1, 1",
        b"Content-Length: x",
    ),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Encoding: gzip",
        b"Expect: 100-continue",
    ),
    *(
        b"Connection: upgrade\r\nUpgrade: websocket",
        b"Host: a\r\nHost: b",
        b" folded: line",
        b"no colon",
        b": no name",
    ),
    *(
        b"X: " + b"y" * 70_000,
        b"\x00: \x00",
        b"X\xff: \xfe",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Connection: close",
    ),
    b"\r\n".join(b"X%d: y" % number for number in range(300)),
)


@dataclass(frozen=True)
class FuzzRequest:
    """data: all bytes. is_whole: it is one request of HTTP, so that it has to be answered, at once
    unless its answer is one that is held."""

    data: bytes
    is_whole: bool
    is_held: bool = False


def make_request(
    chance: random.Random, visits: Sequence[str], tokens: Sequence[str]
) -> FuzzRequest:
    """A request at one of the visits, or with one of the chats' tokens."""
    kind = chance.random()
    if kind < 0.03:
        return FuzzRequest(chance.randbytes(chance.randint(1, 400)), is_whole=False)
    path, value, action = _valid(chance, visits, tokens)
    body = _body(value, _KEPT_OF_CALL if action else _KEPT_OF_BEACON, chance)
    if kind < 0.10:
        return FuzzRequest(_broken(path, body, chance), is_whole=False)
    headers = {"User-Agent": CHROME, "Origin": ORIGIN, "Content-Type": "text/plain;charset=UTF-8"}
    if kind < 0.40:
        for name in chance.sample(_HEADERS, chance.randint(1, 4)):
            headers[name] = hostile_text(chance, 2_000)
    return FuzzRequest(whole_request(path, body, headers), is_whole=True, is_held=action in HELD)


def whole_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST with these headers, without what no header may have."""
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: 127.0.0.1"]
    lines += [name.encode() + b": " + _header_value(value) for name, value in headers.items()]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def valid_beacon(visit: str, tab: str, number: int) -> dict[str, Any]:
    """A beacon with one page view."""
    view = _EVENTS[0] | {"n": number, "u": f"/honest/{number}"}
    return {"v": 1, "k": SITE, "s": visit, "t": tab, "b": [view]}


def valid_opening(visit: str, tab: str, client_id: str) -> dict[str, Any]:
    """A call that begins a chat."""
    return {"v": 1, "k": SITE, "s": visit, "t": tab, "n": client_id, "x": "Do you ship to Austria?"}


def _valid(
    chance: random.Random, visits: Sequence[str], tokens: Sequence[str]
) -> tuple[str, Any, ChatAction | None]:
    visit, tab = chance.choice(visits), f"tab{chance.randrange(4):05d}"
    if chance.random() < 0.7:
        events = [
            dict(event) | {"n": chance.randint(1, 40)}
            for event in chance.choices(_EVENTS, k=chance.randint(1, 3))
        ]
        return BEACON, {"v": 1, "k": SITE, "s": visit, "t": tab, "b": events, "w": ""}, None
    action = chance.choice(list(ChatAction))
    call = valid_opening(visit, tab, f"{chance.randrange(10**12):012d}") | {
        "r": "",
        "w": "",
        "to": 1,
    }
    call |= {"c": chance.choice(tokens) if tokens else "", "after": 0}
    return f"/v1/conversation/{action}", call, action


def _body(value: Any, kept: frozenset[str], chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.40:
        return mutated_json(value, chance)[:20_000]
    if kind < 0.90:
        return with_hostile_texts(value, chance, kept)
    return written(value, chance) if kind < 0.95 else chance.randbytes(chance.randint(0, 300))


def _broken(path: str, body: bytes, chance: random.Random) -> bytes:
    method = chance.choice(_METHODS) if chance.random() < 0.4 else "POST"
    path = chance.choice(_PATHS) if chance.random() < 0.5 else path
    version = chance.choice(("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 x", ""))
    lines = [f"{method} {path} {version}".encode("latin-1"), b"Host: 127.0.0.1"]
    lines += chance.sample(_LINES, chance.randint(1, 3))
    if chance.random() < 0.5:
        lines.append(b"Content-Length: %d" % chance.choice((0, len(body), len(body) + 9, 16_385)))
    end = chance.choice((b"\r\n", b"\r\n", b"\n", b"\r"))
    data = end.join([*lines, b"", b""]) + body
    return data[: chance.randrange(len(data))] if chance.random() < 0.2 else data


def _header_value(text: str) -> bytes:
    """Visible signs, spaces and bytes above ASCII: what a client that keeps to HTTP can send."""
    data = text.encode("utf-8", "surrogatepass")
    return bytes(byte for byte in data if byte >= 0x20 and byte != 0x7F).strip()
