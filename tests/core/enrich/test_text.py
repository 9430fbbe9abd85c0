import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.text import clean, clean_lines, clean_path, clean_referrer

ANY_TEXT = (
    st.text(st.characters(exclude_categories=()))
    | st.text("/\\:.[]@?# aé\u200d\ud800")
    | st.text(
        "/\\ \nae\u0301\u05d0\u0645\u0301\u094d\u202b\u202c\u202e\u2067\u2069\u200f\u200c\u200d\ufe0f\u2764"
    )
    | st.text("/ \u0301\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e007f\u200d\ufe0f")
)
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "limit", "cleaned"),
    [
        ("", 5, ""),
        ("Mugs", 5, "Mugs"),
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcde"),
        ("abcd ef", 5, "abcd"),
        ("  a \t\n\r b\u3000\u2028c ", 10, "a b c"),
        ("a\x00b\x1b[31mc\x7f\x9f", 20, "ab[31mc"),
        ("a\x85b", 5, "a b"),
        ("/h/\u202egnp.exe", 20, "/h/gnp.exe"),
        ("a\u2066b\u2069\u061c\u200e\u200fc", 9, "abc"),
        ("a\u200bb\ufeffc\u2060d\u00ade", 9, "abcde"),
        ("\U0001f469\u200d\U0001f4bb", 9, "\U0001f469\u200d\U0001f4bb"),
        ("a\ud83d", 5, "a\ufffd"),
        ("\udc00b", 5, "\ufffdb"),
        ("a\uffff\ufdd0\U0010ffffb\ue000", 9, "ab\ue000"),
        ("e\u0301", 5, "é"),
        ("\U0001f6d2 購物車", 9, "\U0001f6d2 購物車"),
        ("\U0001f6d2\U0001f6d2\U0001f6d2", 2, "\U0001f6d2\U0001f6d2"),
        ("hi\U000e0041\U000e007f", 9, "hi"),
        ("<b> '; DROP -- {0} %s", 40, "<b> '; DROP -- {0} %s"),
    ],
)
def test_text_is_cleaned_and_cut(text: str, limit: int, cleaned: str) -> None:
    assert clean(text, limit) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a non-joiner in the word
        "PDF\u200c\u0647\u0627",  # and before its ending
        "Auf\u200clage",  # German: no ligature
        "\u0647\u200d.",  # a joiner at the end: the letter as if the word went on
        "\u0915\u094d\u200c\u0937",  # Hindi: the virama is seen
        "\u0915\u094d\u200d\u0937",  # a half letter
        "\u0d28\u0d4d\u200d",  # Malayalam: a chillu at the end of the word
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        "\u1781\u17d2\u1798\u17c2\u179a\u200b\u1797\u17b6\u179f\u17b6",  # Khmer has no spaces
        "\u1820\u180e\u1820\u180b",  # Mongolian
        "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f9d1\U0001f3fd\u200d\U0001f4bb",
        "\U0001f642\u200d\u2194\ufe0f",
        "1\ufe0f\u20e3 \u00a9\ufe0f \u2764\ufe0e",
        "\u845b\U000e0100",  # Japanese: the form of the character in a name
        f"{ENGLAND}{ENGLAND}!",
        "\u05e9\u05dc\u05d5\u05dd C++\u200e!",
        "\u0645\u0631\u062d\u0628\u0627 \u061c+1 \u200f(1)",
        "\u05d0 \u2066<b> 1\u2069 \u2067\u05d1\u2068c\u2069\u2069",
        "\u05d0 \u202aC#\u202c \u202b\u05d1 \u202ad\u202c\u202c",
    ],
)
def test_invisible_characters_of_writing_are_kept(text: str) -> None:
    assert clean(text, 100) == text
    assert clean_lines(f"{text}\n{text}", 100) == f"{text}\n{text}"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("pay\u200bpal pay\u2060pal pay\u200epal", "paypal paypal paypal"),
        ("\u200cpay\u200d pal\u200c, \u200d1\u200c2", "pay pal, 12"),
        ("Auf\u200c\u200clage", "Auf\u200clage"),
        ("\u200c\u200d \u200b", ""),
        ("\u0645 \u200c \u0645", "\u0645 \u0645"),
        ("\u0645" + "\u200c" * 50 + "\u0645", "\u0645\u200c\u200c\u0645"),
        ("\U0001f469\u200da", "\U0001f469a"),
        ("\U0001f469\u200c\U0001f469", "\U0001f469\U0001f469"),
        ("\ufe0fa\ufe0f \ufe0f", "a"),
        ("\u2764\ufe0f\U000e0101\U000e0102\ufe00", "\u2764\ufe0f"),
        ("\U0001f3f4\U000e0067\U000e0062", "\U0001f3f4"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4"),
        (f"a{ENGLAND[1:]}", "a"),
        (f"{ENGLAND}\U000e0041", ENGLAND),
        ("\u2066b\u2069 \u202ac\u202c \u200fd\u061c", "b c d"),
        ("\u05d0 \u202egnp.exe", "\u05d0 gnp.exe"),
        ("\u05d0 \u202egnp.exe\u202c \u202db", "\u05d0 gnp.exe b"),
        ("\u05d0 \u2066a \u2067b\u2069", "\u05d0 a \u2067b\u2069"),
        ("\u05d0\u2069\u202c a", "\u05d0 a"),
        ("\u05d0 \u2066a\u202bb\u2069c\u202c", "\u05d0 \u2066ab\u2069c"),
        ("\u05d0 e\u202e\u0301 \u202e x", "\u05d0 é x"),
    ],
)
def test_invisible_characters_that_only_hide_are_dropped(text: str, cleaned: str) -> None:
    assert clean(text, 100) == cleaned


@pytest.mark.parametrize(
    ("text", "limit", "cleaned"),
    [
        ("\u05d0 \u2067b\u2069", 5, "\u05d0 \u2067b\u2069"),
        ("\u05d0 \u2067b\u2069", 4, "\u05d0 b"),
        (f"a{ENGLAND}", 8, f"a{ENGLAND}"),
        (f"a{ENGLAND}", 7, "a\U0001f3f4"),
        ("\U0001f469\u200d\U0001f4bb", 2, "\U0001f469"),
    ],
)
def test_cut_leaves_nothing_loose(text: str, limit: int, cleaned: str) -> None:
    assert clean(text, limit) == cleaned
    assert clean_lines(f"1\n{text}", limit + 2) == f"1\n{cleaned}"


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("/", "/"),
        ("/wiki/\u0645\u06cc\u200c\u062e", "/wiki/\u0645\u06cc\u200c\u062e"),
        ("/\u2066/evil.example\u2069\u05d0", "/%E2%81%A6/evil.example%E2%81%A9\u05d0"),
        ("/cart?view=x", "/cart?view=x"),
        ("//evil.example/a//b", "/evil.example/a//b"),
        ("/\\evil.example", "/evil.example"),
        ("\\\\evil.example", "/evil.example"),
        ("/\u200b/evil.example", "/evil.example"),
        ("/ /evil.example", "/evil.example"),
        (" /a ", "/a"),
        ("", "/"),
        ("javascript:alert(1)", "/"),
        ("https://evil.example/a", "/"),
        ("/" + "a" * 1023, "/" + "a" * 1023),
        ("/" + "a" * 1024, "/" + "a" * 1023),
        ("/../../etc/passwd", "/../../etc/passwd"),
    ],
)
def test_path_stays_on_this_site(path: str, cleaned: str) -> None:
    assert clean_path(path) == cleaned


@pytest.mark.parametrize(
    ("referrer", "cleaned"),
    [
        ("", ""),
        ("https://news.example/a?token=1#x", "https://news.example/a"),
        ("https://ann:s3cret@news.example/h146", "https://news.example/h146"),
        ("https://a@b@news.example/", "https://news.example/"),
        ("HTTPS://News.Example:8443", "https://news.example:8443/"),
        ("http://news.example.:80/A", "http://news.example:80/A"),
        ("android-app://com.google.android.gm/", "android-app://com.google.android.gm/"),
        ("https://bücher.example/", "https://bücher.example/"),
        ("http://[2001:DB8:0::1]/a", "http://[2001:db8::1]/a"),
        ("https://[::1/x", ""),
        ("https://[zz]/x", ""),
        ("https:///x", ""),
        ("https://a b/x", ""),
        ("https://a:port/x", ""),
        ("https://.../x", ""),
        ("javascript:alert(148)", ""),
        ("file:///C:/Users/ann/x.html", ""),
        ("chrome-extension://abcdefgh/page.html", ""),
        ("ftp://a.example/", ""),
        ("about:blank", ""),
        ("//a.example/", ""),
        ("https://evil.example\\@google.com/", "https://evil.example/@google.com/"),
        ("https://a.example/" + "b" * 2000, ("https://a.example/" + "b" * 2000)[:1024]),
    ],
)
def test_referrer_loses_what_is_private(referrer: str, cleaned: str) -> None:
    assert clean_referrer(referrer) == cleaned


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_can_be_stored(text: str) -> None:
    for cleaned in (clean(text, 20), clean_path(text), clean_referrer(text)):
        cleaned.encode()
        assert cleaned == clean(cleaned, 2_000)
    assert clean_path(text) == clean_path(clean_path(text))
    for limit in (7, 20, 200):
        lines = clean_lines(text, limit)
        assert len(lines) <= limit
        assert lines == clean_lines(lines, 2_000)
    assert clean_path(text).startswith("/")
    assert not clean_path(text).startswith(("//", "/\\"))


@pytest.mark.parametrize(
        "text",
    ["e" + "\u0301\u0316" * 30_000, " \u200b" * 30_000, "\ud800" * 60_000,
     "\u05d0" + "\u2067" * 60_000, "\u05d0" + "\u2067\u202b\u2069" * 20_000, "\u0645\u200c" * 30_000,
     "\U0001f3f4\U000e0067" * 30_000],
)  # fmt: skip
def test_long_text_is_quick(text: str) -> None:
    started = time.perf_counter()
    clean(text, 1_024)
    clean_path("/" + text)
    assert time.perf_counter() - started < 0.5
