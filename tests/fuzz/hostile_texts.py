"""Texts and JSON values that have broken programs before: what strangers send."""

from __future__ import annotations

import random

HOSTILE_CHARS = (
    "\x00\x01\x08\t\n\r\x0b\x1b\x7f\x85\xa0\xad"
    "\u0300\u0301\u034f\u061c\u0645\u0600\u05d0\u200b\u200c\u200d\u200e\u200f\u2028\u2029"
    "\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\u3164\ufe0f\ufeff\uff1d\ufffd\ufffe\uffff"
    "\U0001f469\U0001f3fb\U0001f1e9\U0001f1ea\U0001f3f4\U000e0067\U000e007f\U0010ffff"
    "\ud800\udbff\udc00\udfff"
)
"""Controls, marks, joiners, bidi, tags, noncharacters and half characters."""

PIECES = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</script>",
        "&lt;b&gt;",
        "![x](//a.example/x)",
    ),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "https://",
        "http://[::1",
    ),
    *(
        "https://a:b@shop.example:99999/x?y=z#w",
        "android-app://com.example",
        "xn--",
        "xn--a.example",
        "a" * 300,
    ),
    *(
        "../" * 5,
        "%00",
        "%2e%2e%2f",
        "%ff",
        "%",
        "%%",
        "%u0041",
        "%C0%AF",
        "?a=b&a=c;d",
        "#!/~/cart",
        "?token=1",
    ),
    *(
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "'; DROP TABLE visit; --",
        '"',
        "\\",
        "\\ud800",
        "\\u0000",
    ),
    *(
        "${jndi:ldap://a}",
        "{{7*7}}",
        "%s%s%n",
        "%(x)s",
        "{0.__class__}",
        "\r\nSet-Cookie: a=b",
        "0x41",
        "1e400",
    ),
    *(
        "\u05d0" * 40,
        "\u0301" * 80,
        "\U0001f1e9" * 31,
        "\u202e" * 40,
        "\u200d" * 40,
        " " * 90,
        "é" * 60,
        "\ufdfa" * 60,
    ),
    *(
        "/cart",
        "/checkout",
        "gclid,fbclid",
        "google",
        "newsletter",
        "Europe/Berlin",
        "de-AT",
        "EUR",
        "12.50",
    ),
    *(
        "203.0.113.7",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "[2001:db8::1]:80",
        "unknown",
        "1.2.3.4:99999",
        ",",
    ),
)
"""Words of attacks and words of the wire."""

ATOMS = (
    *(
        "0",
        "-0",
        "-1",
        "1",
        "1.5",
        "-0.0",
        "1e400",
        "-1e400",
        "1e-400",
        "1E+2",
        "2147483647",
        "2147483648",
    ),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "1" * 400,
        "0." + "1" * 400,
        "01",
        "+1",
        ".5",
        "1.",
        "0x10",
    ),
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        "None",
        "undefined",
        '""',
        '"a"',
        "{}",
        "[]",
    ),
    *(
        "[" * 50 + "]" * 50,
        '{"a":' * 40 + "1" + "}" * 40,
        "[" * 5000,
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\u0000"',
    ),
    *(
        '"\\x41"',
        '"\\udc00\\ud800"',
        '"unended',
        "'a'",
        '"a\tb"',
        '"a\nb"',
        "[1,]",
        "{,}",
        "/**/1",
        "1e1e1",
    ),
)
"""JSON of every kind, some of it none."""


def hostile_text(chance: random.Random, longest: int = 400) -> str:
    """A text made of pieces, hostile characters and plain ones."""
    parts: list[str] = []
    for _ in range(chance.randint(0, 6)):
        kind = chance.random()
        if kind < 0.4:
            parts.append(chance.choice(PIECES))
        elif kind < 0.8:
            parts.append("".join(chance.choices(HOSTILE_CHARS, k=chance.randint(1, 8))))
        else:
            parts.append(
                "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randint(1, 5)))
            )
    return "".join(parts)[:longest] * chance.choice((1, 1, 1, 1, 1, 30))
