"""The rows that an agent wants to see: narrowed, ordered, by the page, as CSV."""

import csv
import io
from datetime import timedelta

import pandas as pd
import pytest

from core.database import open_database, reading, writing
from core.frames import (
    OTHER,
    UNKNOWN,
    Filters,
    count_pages,
    csv_of,
    narrow,
    order_by,
    page_of,
    picture_at,
)
from tests.helpers.stored_rows import store_row

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def visitors_of(sqlite_url, site, now):
    """A function that makes the visitors frame of some visits."""
    database = open_database(sqlite_url)

    def visitors_of(*visits):
        with writing(database) as connection:
            for visit in visits:
                store_row(connection, visit)
        with reading(database) as connection:
            return picture_at(connection, [site], now, now).visitors

    yield visitors_of
    database.dispose()


@pytest.fixture
def shoppers(visitors_of, make_visit, now):
    return visitors_of(
        make_visit(
            "ada",
            current_path="/products/tea",
            current_title="Green Tea (50 %)",
            page_context="Product",
            source="Google Ads",
            country="DE",
            browser="Chrome",
            os="Windows",
            attributes={"name": "Ada Straße"},
            chat_source="built_in",
            chat_message_at=now,
        ),
        make_visit(
            "bob",
            current_path="/cart?size=[xl]",
            current_title="Cart",
            page_context="Cart",
            source="news.example",
            country="CI",
            browser="Firefox",
            os="Linux",
            attributes={"email": "bob@example.com"},
        ),
        make_visit("eve", current_path="/café/my%20page", source="Direct"),
    )


def ids(visitors):
    return sorted(visitors["id"])


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["ada", "bob", "eve"]),
        ("   ", ["ada", "bob", "eve"]),
        ("products/", ["ada"]),
        ("PRODUCTS", ["ada"]),
        (" tea ", ["ada"]),
        ("google ads", ["ada"]),
        ("germ", ["ada"]),
        ("côte", ["bob"]),
        ("ci", ["bob"]),
        ("bob@", ["bob"]),
        ("ada s", ["ada"]),
        ("STRASSE", ["ada"]),
        ("cafe\u0301", ["eve"]),
        ("caf%C3%A9", ["eve"]),
        ("my page", ["eve"]),
        ("my%20page", ["eve"]),
        ("unknown", ["eve"]),
        ("direct", ["eve"]),
        # literally, not as a pattern
        (".*", []),
        ("[xl]", ["bob"]),
        ("(50 %)", ["ada"]),
        ("?", ["bob"]),
        ("\\", []),
        # not across two columns
        ("tea google", []),
        # columns that are not searched
        ("firefox", []),
    ],
)
def test_search_finds_page_title_source_country_and_name_as_they_stand(shoppers, search, found):
    assert ids(narrow(shoppers, Filters(search=search))) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), ["ada", "bob", "eve"]),
        (Filters(status=("Chatting",)), ["ada"]),
        (Filters(status=("Browsing",)), ["bob", "eve"]),
        (Filters(context=("Cart", "Product")), ["ada", "bob"]),
        (Filters(context=("",)), ["eve"]),
        (Filters(source=("Direct",)), ["eve"]),
        (Filters(browser=("Chrome",)), ["ada"]),
        (Filters(browser=(UNKNOWN,)), ["eve"]),
        (Filters(os=("Linux", "Windows")), ["ada", "bob"]),
        (Filters(country=("DE",)), ["ada"]),
        (Filters(country=("",)), ["eve"]),
        (Filters(country=("FR",)), []),
        (Filters(browser=("Safari",)), []),
        (Filters(status=("Browsing",), country=("CI", "DE")), ["bob"]),
        (Filters(search="tea", context=("Cart",)), []),
    ],
)
def test_row_passes_when_every_filter_has_its_value(shoppers, filters, found):
    assert ids(narrow(shoppers, filters)) == found


def test_other_is_what_the_breakdown_calls_other(visitors_of, make_visit):
    browsers = [*"aabbccdd", "g", "h", ""]
    visitors = visitors_of(
        *(make_visit(f"{number} {name}", browser=name) for number, name in enumerate(browsers))
    )

    assert narrow(visitors, Filters(browser=(OTHER,)))["browser"].tolist() == ["g", "h"]
    assert len(narrow(visitors, Filters(browser=(OTHER, "a")))) == 4


@pytest.mark.parametrize("filters", [Filters(), Filters(search="x", browser=(OTHER,), os=("a",))])
def test_empty_frame_can_be_narrowed_ordered_and_paged(visitors_of, filters):
    visitors = visitors_of()

    rows = page_of(order_by(narrow(visitors, filters), "path"), 1, 50)

    assert rows.empty
    assert rows.columns.tolist() == visitors.columns.tolist()
    assert csv_of(rows).startswith("\ufeffid,status,")


def test_narrowing_keeps_the_order(shoppers):
    assert narrow(shoppers, Filters(status=("Browsing",)))["id"].tolist() == ["bob", "eve"]


# Order


@pytest.mark.parametrize(
    ("column", "lengths"),
    [
        ("time_on_site_label", [9 * SECOND, MINUTE, 2 * MINUTE, 11 * MINUTE, 100 * MINUTE]),
        ("time_on_site", [9 * SECOND, MINUTE, 2 * MINUTE, 11 * MINUTE, 100 * MINUTE]),
    ],
)
@pytest.mark.parametrize("descending", [False, True])
def test_time_on_site_sorts_by_its_length(
    visitors_of, make_visit, now, column, lengths, descending
):
    visitors = visitors_of(
        *(make_visit(str(length), started_at=now - length) for length in lengths[::2]),
        *(make_visit(str(length), started_at=now - length) for length in lengths[1::2]),
    )

    rows = order_by(visitors, column, descending)

    expected = sorted(map(str, lengths), key=list(map(str, lengths)).index, reverse=descending)
    assert rows["id"].tolist() == expected


def test_activity_sorts_by_its_age(visitors_of, make_visit, now):
    visitors = visitors_of(
        *(
            make_visit(str(minutes), last_activity_at=now - minutes * MINUTE)
            for minutes in (29, 9, 0, 10, 2)
        )
    )

    labels = order_by(visitors, "activity_label")["activity_label"].tolist()

    assert labels == ["Active", "2m ago", "9m ago", "Idle 10m", "Idle 29m"]


def test_context_sorts_by_attention(visitors_of, make_visit):
    contexts = ["", "Cart", "In Checkout", "Purchased", "Search"]
    visitors = visitors_of(*(make_visit(name, page_context=name) for name in contexts))

    rows = order_by(visitors, "page_context")

    assert rows["id"].tolist() == ["In Checkout", "Cart", "Search", "", "Purchased"]


@pytest.mark.parametrize(("descending", "expected"), [(False, "aBc"), (True, "cBa")])
def test_text_sorts_without_regard_to_case(visitors_of, make_visit, descending, expected):
    visitors = visitors_of(
        *(make_visit(name, current_path=f"/{name}", source=name) for name in "caB")
    )

    for column in ("path", "source"):
        assert "".join(order_by(visitors, column, descending)["id"]) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_equal_rows_keep_the_default_order(visitors_of, make_visit, now, descending):
    visitors = visitors_of(
        *(
            make_visit(f"{number:03}", last_activity_at=now - number * SECOND, page_count=2)
            for number in range(40)
        )
    )

    rows = order_by(visitors, "page_count", descending)

    assert rows["id"].tolist() == visitors["id"].tolist()


@pytest.mark.parametrize("descending", [False, True])
def test_order_by_nothing_is_the_default_order(shoppers, descending):
    mixed = order_by(shoppers, "path", descending=True)

    assert order_by(mixed, None, descending)["id"].tolist() == ["bob", "ada", "eve"]


@pytest.mark.parametrize("descending", [False, True])
def test_every_column_sorts(shoppers, descending):
    for column in shoppers.columns:
        assert len(order_by(shoppers, column, descending)) == 3


# Pages


@pytest.mark.parametrize(
    ("rows", "size", "pages"), [(0, 50, 1), (1, 50, 1), (50, 50, 1), (51, 50, 2), (10_000, 200, 50)]
)
def test_pages_hold_every_row(rows, size, pages):
    assert count_pages(rows, size) == pages


@pytest.mark.parametrize(
    ("page", "expected"), [(1, "01"), (2, "23"), (3, "4"), (9, "4"), (0, "01"), (-1, "01")]
)
def test_page_beyond_the_ends_is_the_nearest(visitors_of, make_visit, page, expected):
    visitors = visitors_of(*(make_visit(str(number)) for number in range(5)))

    assert "".join(page_of(visitors, page, 2)["id"]) == expected


# CSV


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("\ufe661+1", "'\ufe661+1"),
        ("\u22121", "'\u22121"),
        (" =1+1", "' =1+1"),
        ("\u3000\uff1d1+1", "'\u3000\uff1d1+1"),
        ("\u200f=1+1", "'\u200f=1+1"),
        ("\ufeff=1+1", "'\ufeff=1+1"),
        ("購物車", "購物車"),
        ("a\uff1d1", "a\uff1d1"),
        ("x\r=1+1", "x\r=1+1"),
        ("/cart", "/cart"),
        ("1=1", "1=1"),
        ("", ""),
        ('say "hi", a\nb', 'say "hi", a\nb'),
    ],
)
@pytest.mark.parametrize("kind", ["str", "category", "object"])
def test_cell_that_a_spreadsheet_would_run_is_text(text, cell, kind):
    frame = pd.DataFrame({"title": pd.Series([text], dtype=kind), "page_count": [-1]})

    rows = list(csv.reader(opened(csv_of(frame))))

    assert rows == [["title", "page_count"], [cell, "-1"]]


def opened(text: str) -> io.StringIO:
    """The file as a spreadsheet opens it: the byte order mark tells the encoding."""
    return io.StringIO(text.encode().decode("utf-8-sig"), newline="")


def test_spreadsheet_opens_the_letters_as_they_are():
    file = csv_of(pd.DataFrame({"title": ["Größe"]})).encode()

    assert file == b"\xef\xbb\xbftitle\r\nGr\xc3\xb6\xc3\x9fe\r\n"


def test_csv_has_every_column_and_plain_moments(shoppers):
    rows = list(csv.DictReader(opened(csv_of(shoppers))))

    assert list(rows[0]) == shoppers.columns.tolist()
    assert rows[0]["started_at"] == "2026-11-22T12:29:56Z"
    assert rows[0]["in_view"] == "True"
