"""What the address of Trends says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlencode

import pytest

from core.trends import Granularity, TrendFilters
from pages.trends.view import MOST_DAYS, Range, TrendPart, TrendView, view_in

VIEWS = [
    (TrendView(), ""),
    (TrendView(range=Range.TODAY), "range=today"),
    (
        TrendView(range=Range.CUSTOM, first=date(2026, 3, 1), last=date(2026, 3, 31)),
        "range=custom&from=2026-03-01&to=2026-03-31",
    ),
    (TrendView(by=Granularity.WEEK, part=TrendPart.FUNNEL), "by=week&part=funnel"),
    (TrendView(filters=TrendFilters(source="Google", country="DE")), "source=Google&country=DE"),
    (TrendView(filters=TrendFilters(country="")), "country=~"),
    (TrendView(filters=TrendFilters(campaign="~sale")), "campaign=~~sale"),
    (TrendView(filters=TrendFilters(entry_page="/a b")), "entry_page=%2Fa+b"),
]


@pytest.mark.parametrize("view, query", VIEWS)
def test_address_has_what_differs_from_the_default_and_no_more(view: TrendView, query: str) -> None:
    assert urlencode(view.parameters()) == query


@pytest.mark.parametrize("view, query", VIEWS)
def test_view_is_found_again_in_its_address(view: TrendView, query: str) -> None:
    assert view_in(dict(parse_qsl(query))) == view


@pytest.mark.parametrize(
    "query", ["range=year", "by=minute", "part=x", "from=yesterday", "source=", "page=%00"]
)
def test_what_is_not_understood_is_not_chosen(query: str) -> None:
    assert view_in(dict(parse_qsl(query, keep_blank_values=True))) == TrendView()


def test_second_press_on_a_row_takes_the_filter_away() -> None:
    view = TrendView().toggled("source", "Google")
    assert view.chosen() == {"source": "Google"}
    assert view.toggled("source", "Google") == TrendView()
    assert view.toggled("country", "").cleared("all") == TrendView()


@pytest.mark.parametrize(
    "view, first, last",
    [
        (TrendView(range=Range.TODAY), date(2026, 12, 1), date(2026, 12, 1)),
        (TrendView(), date(2026, 11, 25), date(2026, 12, 1)),
        (TrendView(range=Range.MONTH), date(2026, 12, 1), date(2026, 12, 31)),
        (TrendView(range=Range.CUSTOM), date(2026, 12, 1), date(2026, 12, 1)),
        (
            TrendView(range=Range.CUSTOM, first=date(2026, 12, 9), last=date(2027, 1, 1)),
            date(2026, 12, 1),
            date(2026, 12, 1),
        ),
    ],
)
def test_days_are_those_of_the_sites_zone_and_end_today(
    view: TrendView, first: date, last: date
) -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # the day after in Berlin
    period = view.period("Europe/Berlin", late)
    assert (period.first, period.last) == (first, last)


def test_other_days_are_bounded() -> None:
    view = TrendView(range=Range.CUSTOM, first=date(1, 1, 1), last=date(2026, 1, 1))
    assert view.period("UTC", datetime(2026, 6, 1, tzinfo=UTC)).length == MOST_DAYS
    view = view_in({"range": "custom", "from": "0001-01-01", "to": "0001-01-02"})
    period = view.period("Pacific/Chatham", datetime(2026, 6, 1, tzinfo=UTC))
    assert period.before().bounds.from_at.year > 1990


@pytest.mark.parametrize("path", ["/کتاب\u200cها", "/👩\u200d💻", "/ a", "~/x"])
def test_value_with_the_joiners_of_its_language_is_chosen(path: str) -> None:
    view = TrendView().toggled("page", path)
    assert view_in(view.parameters()) == view
