"""What the address of Visitor Monitor says of its table."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest

from core.frames import OTHER
from pages.live.view import TableView, view_in

VIEWS = [
    (TableView(), ""),
    (TableView(search="tea & cups "), "q=tea+%26+cups+"),
    (TableView(search="\N{FAMILY}\u200d\N{FLEXED BICEPS}"), "q=%F0%9F%91%AA%E2%80%8D%F0%9F%92%AA"),
    (TableView(sort="time_on_site"), "sort=time_on_site"),
    (TableView(sort="time_on_site", descending=True), "sort=-time_on_site"),
    (TableView(page=2), "page=3"),
    (TableView(status="Chatting"), "status=Chatting"),
    (TableView(page_context="In Checkout"), "context=In+Checkout"),
    (TableView(page_context="none"), "context=none"),
    (TableView(source="news.example", browser="Unknown"), "source=news.example&browser=Unknown"),
    (TableView(os=OTHER), "os=+other"),
    (TableView(country="DE"), "country=DE"),
    (TableView(country=""), "country=none"),
    (TableView(country=OTHER), "country=+other"),
]


@pytest.mark.parametrize("view, query", VIEWS)
def test_address_has_what_differs_from_the_default_and_no_more(view: TableView, query: str) -> None:
    assert urlencode(view.parameters()) == query


@pytest.mark.parametrize("view, query", VIEWS)
def test_view_is_found_again_in_its_address(view: TableView, query: str) -> None:
    assert view_in(dict(parse_qsl(query, keep_blank_values=True))) == view


@pytest.mark.parametrize(
    "query",
    [
        "status=chatting",
        "status=<script>",
        "context=Shopping",
        "sort=password",
        "sort=--path",
        "sort=-",
        "page=0",
        "page=1",
        "page=-3",
        "page=2.5",
        "page=%C2%B2",
        "page=99999999999999999999999999",
        "country=ZZ",
        "country=de",
        "country=",
        "browser=",
        "source=two%0Alines",
        f"os={'x' * 101}",
        "q=",
        "unheard=of",
    ],
)
def test_what_an_address_cannot_mean_changes_nothing(query: str) -> None:
    assert view_in(dict(parse_qsl(query, keep_blank_values=True))) == TableView()


@pytest.mark.parametrize(
    "typed, searched", [("x" * 300, "x" * 200), ("a\x00b\ud800", "ab\N{REPLACEMENT CHARACTER}")]
)
def test_search_that_nobody_types_is_made_safe(typed: str, searched: str) -> None:
    assert view_in({"q": typed}) == TableView().updated({"search": typed})
    assert view_in({"q": typed}).search == searched


@pytest.mark.parametrize(
    "sent, view",
    [
        ({"search": "tea", "sort": "path"}, TableView(search="tea", sort="path")),
        ({"sort": "secret", "status": "x", "page_context": "y", "page": "z"}, TableView()),
        ({"page": -1}, TableView()),
        ({"page": 3, "descending": 1}, TableView(page=3)),
        ({"search": "x" * 300}, TableView(search="x" * 200)),
        ({"page": True, "sort": 3, "status": {}, "search": 5}, TableView()),
        ("nonsense", TableView(search="before")),
        (None, TableView(search="before")),
    ],
)
def test_view_takes_only_what_it_understands(sent: object, view: TableView) -> None:
    assert TableView(search="before").updated(sent) == view


def test_choice_made_twice_is_taken_back() -> None:
    view = TableView(page=4).toggled("browser", "Chrome")
    assert (view.browser, view.page) == ("Chrome", 0)
    assert view.toggled("browser", "Chrome").browser is None
    assert view.toggled("browser", "Safari").browser == "Safari"


def test_clearing_everything_keeps_the_order() -> None:
    view = TableView("tea", "Chatting", "Cart", "path", True, 3, "Google", "Safari", "iOS", "DE")
    assert view.cleared("os") == TableView(
        "tea", "Chatting", "Cart", "path", True, 0, "Google", "Safari", None, "DE"
    )
    assert view.cleared("all") == TableView(sort="path", descending=True)
    assert view.cleared("nothing known") == view
