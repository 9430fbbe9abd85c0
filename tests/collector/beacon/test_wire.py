"""What is a beacon and what is not."""

import json
from pathlib import Path

import pytest

from collector.beacon.wire import Beacon, WireEvent, read_beacon
from collector.http.json_body import Malformed
from core.reasons import Reason

GOOD = {"v": 1, "k": "shop1", "s": "a1b2c3d4e5f6g7h8", "t": "tab1", "b": []}
VIEW = {"e": "v", "n": 1, "u": "/"}


def envelope(**fields):
    return json.dumps({**GOOD, "b": [VIEW]} | fields).encode()


def event(**fields):
    return envelope(b=[VIEW | fields])


@pytest.mark.parametrize(
    "body",
    [
        envelope(),
        envelope(s=""),
        envelope(s="a" * 40),
        envelope(w="a" * 16),
        envelope(w=""),
        envelope(k="A-z_9" + "x" * 59),
        envelope(t="a" * 16),
        envelope(b=[VIEW | {"n": n} for n in range(1, 21)]),
        envelope(unknown={"deep": [1, {"x": None}]}),
        event(n=2**31 - 1),
        event(o=0.5, a=1799.9),
        event(o=-5, a=10**18),
        event(a=10**30),
        event(e="brand new"),
        event(e="c", s="start"),
        event(e="i", i={"name": "Ann"}),
        event(wd=None),
        b" \n" + envelope() + b"\n",
    ],
)
def test_beacon_is_read(body):
    assert isinstance(read_beacon(body), Beacon)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"NaN",
        b"\xef\xbb\xbf" + envelope(),
        envelope() + envelope(),
        envelope()[:-1],
        envelope(v=0),
        envelope(v=2),
        envelope(v=True),
        envelope(v="1"),
        envelope(v=1.5),
        envelope(k=""),
        envelope(k="x" * 65),
        envelope(k="shop 1"),
        envelope(k="shop1\n"),
        envelope(k=None),
        envelope(s="a" * 15),
        envelope(s="a" * 41),
        envelope(s="A" * 16),
        envelope(s="a1b2c3d4e5f6g7h8\n"),
        envelope(s=None),
        envelope(t="abc"),
        envelope(t="a" * 17),
        envelope(t="../.."),
        envelope(w="short"),
        envelope(b=[]),
        envelope(b=[VIEW | {"n": n} for n in range(1, 22)]),
        envelope(b=None),
        envelope(b=[[]]),
        envelope(b=["v"]),
        event(e=1),
        event(e=None),
        event(n=0),
        event(n=-1),
        event(n=2**31),
        event(n=True),
        event(n="1"),
        event(n=1.5),
        event(o="0"),
        event(o=True),
        event(o=None),
        event(a=True),
        event(a=[]),
        event(u=""),
        event(u="cart"),
        event(u=None),
        event(u=["/"]),
        event(e="p", u="x"),
        event(e="h", u="javascript:alert(1)"),
        event(d=5),
        event(f=True),
        event(l=None),
        event(i=[]),
        event(i={"id": {"$ne": None}}),
        event(i={"age": 5}),
        envelope(b=[VIEW, {"e": "v", "n": "2", "u": "/"}]),
    ],
)
def test_body_is_malformed_and_one_line_says_why(body):
    found = read_beacon(body)

    assert isinstance(found, Malformed)
    assert found.message
    assert "\n" not in found.message


def test_message_names_the_place():
    found = read_beacon(envelope(b=[VIEW, VIEW | {"n": True}]))

    assert found == Malformed("Expected `int`, got `bool` - at `$.b[1].n`")


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (rb"\ud83d\uded2", "\U0001f6d2"),
        (rb"cut \ud83d", "cut �"),
        (rb"\uded2 back", "� back"),
        (rb"\ud83d\ud83d\uded2", "�\U0001f6d2"),
        (rb"\\ud83d", r"\ud83d"),
        (rb"\\\ud83d\n", "\\�\n"),
        (b"stray \xff byte", "stray � byte"),
        (b"\xed\xa0\xbd", "���"),
        (rb"\u0000", "\0"),
    ],
)
def test_half_characters_are_replaced_not_refused(title, read):
    body = envelope(b=[VIEW | {"d": "TITLE"}]).replace(b"TITLE", title)

    beacon = read_beacon(body)

    assert isinstance(beacon, Beacon)
    assert beacon.b[0].d == read


def test_every_key_and_every_reason_is_documented():
    docs = Path(__file__).parents[3] / "docs"
    documented = "".join((docs / name).read_text() for name in ("beacon.md", "chat.md"))
    keys = {*WireEvent.__struct_fields__, *Beacon.__struct_fields__}
    reasons = {reason for reason in Reason if reason.owner_text}

    assert {word for word in keys | reasons if f"`{word}`" not in documented} == set()


def test_deep_nesting_is_malformed():
    body = envelope().replace(b'"v"', b'"x": ' + b'{"a":' * 2_500 + b"1" + b"}" * 2_500 + b', "v"')

    assert isinstance(read_beacon(body), Malformed)
