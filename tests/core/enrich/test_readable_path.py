"""Paths as people read them, and what stays escaped."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.readable_path import readable_path
from core.enrich.text import clean, clean_path


@pytest.mark.parametrize(
    "path",
    [
        "/корзина",
        "/товары/чай-зелёный?цвет=белый",
        "/カート/お茶",
        "/장바구니",
        "/سبد/می‌خواهم",
        "/चाय/क्‌ष",
        "/grün/straße/é",
        "/👩‍💻/❤️/1️⃣",
        "/a<b>'\"|{}^`",
        "/~ann/(x)/a;b=c,d@e:f!$&*+",
    ],
)
def test_letters_of_every_language_are_decoded(path: str) -> None:
    assert clean_path(quote(path, safe="/?=%")) == path
    assert clean_path(path) == path


@pytest.mark.parametrize(
    ("path", "readable"),
    [
        ("/a%2Fb%5c%3F%23%25", "/a%2Fb%5C%3F%23%25"),
        ("/%2541", "/%2541"),
        ("/%4%31", "/%2541"),
        ("/100%", "/100%25"),
        ("/list?q=a%26b%3Dc%2Bd+e&f=%D1%8F", "/list?q=a%26b%3Dc%2Bd+e&f=я"),
        ("/%00%0a%1B%7f%C2%85", "/%00%0A%1B%7F%C2%85"),
        ("/%E9t%C3%A9", "/%E9té"),
        ("/%D0%BA%D0", "/к%D0"),
        ("/%ED%A0%80%C0%AF%F5%80", "/%ED%A0%80%C0%AF%F5%80"),
        ("/%E2%80%AEgpj.exe", "/%E2%80%AEgpj.exe"),
        ("/\u202egpj.exe", "/%E2%80%AEgpj.exe"),
        ("/\u2066\u05d0\u200f\u2069", "/%E2%81%A6\u05d0%E2%80%8F%E2%81%A9"),
        ("/my%20page%C2%A0%E3%80%80", "/my%20page%C2%A0%E3%80%80"),
        ("/my page", "/my%20page"),
        ("/a%E2%80%8Bb%C2%AD", "/a%E2%80%8Bb%C2%AD"),
        ("/%E3%85%A4%E2%A0%80%CD%8F", "/%E3%85%A4%E2%A0%80%CD%8F"),
        ("/x%EF%B8%8F", "/x%EF%B8%8F"),
        ("/%F0%9F%8F%B4%F3%A0%81%A7", "/\U0001f3f4%F3%A0%81%A7"),
        ("/e%CC%81", "/é"),
        ("/%CC%B8a%2F%CC%81", "/%CC%B8a%2F%CC%81"),
        ("/%EE%80%80%EF%BF%BE%F4%8F%BF%BF", "/%EE%80%80%EF%BF%BE%F4%8F%BF%BF"),
    ],
)
def test_what_would_deceive_or_change_the_address_stays_escaped(path: str, readable: str) -> None:
    assert clean_path(path) == readable
    assert clean_path(readable) == readable


@pytest.mark.parametrize(
    ("path", "limit", "readable"),
    [
        ("/" + "%D1%8F" * 2_000, 1_024, "/" + "я" * 340),
        ("/" + "%E8%8C%B6" * 340, 1_024, "/" + "茶" * 227),
        ("/абв", 3, "/аб"),
        ("/a%2Fb", 5, "/a%2F"),
        ("/a%2Fb", 4, "/a"),
        ("/a%2Fb", 3, "/a"),
        ("/%D9%85%DB%8C%E2%80%8C%D8%AE", 4, "/می"),
    ],
)
def test_path_is_cut_by_characters(path: str, limit: int, readable: str) -> None:
    assert readable_path(path[:2_048], limit)[: len(readable)] == readable
    assert len(readable_path(path, limit)) <= limit


_CHARS = (
    "aéк/?#%&=+2FCЗ \u3000\u200b\u200c\u200d\u202e\u2066\u05d0\u0645\u0915\u094d\u0301\u0338\ufe0f"
)
_CHARS += "\U0001f469\U0001f4bb\u3164\u115f\xad\U000e0067\U0001f3f4\U000e007f\u0378\ue000\u1161"
_PIECES = st.sampled_from([*_CHARS, *map(quote, _CHARS), "%E9", "%0"])


@settings(deadline=None, max_examples=400)
@given(st.lists(_PIECES, max_size=14))
def test_readable_path_stays_as_it_is(pieces: list[str]) -> None:
    readable = clean_path("/" + "".join(pieces))
    assert clean_path(readable) == readable == clean(readable, 2_000)
