"""What an agent wants the table to show: it stands in the page's address, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from core.enrich.country import country_of_code
from core.enrich.page_context import PageContext
from core.enrich.text import clean
from core.frames import OTHER, Filters
from core.visits.presence import Status
from pages.live.columns import SITE_COLUMN, VISITOR_COLUMNS
from pages.parts.address import address, change_address

NO_CONTEXT = "none"
"""The filter's value for visits without a context."""

NOT_KNOWN = "none"
"""What stands in the address for a country that is not known: in the frame it is ""."""

CHOICES = {"source": "From", "browser": "Browser", "os": "OS", "country": "Country"}
"""The breakdowns, by the frame's column: a click on a row of one narrows the table."""

LONGEST_SEARCH = 200
LONGEST_CHOICE = 100
MOST_PAGES = 1_000_000

_IN_ADDRESS = ("q", "sort", "page", "status", "context", *CHOICES)


@dataclass(frozen=True)
class TableView:
    """search, status, page_context, sort, descending and page (from 0) are chosen in the table, the
    rest in the breakdowns; None where nothing is chosen."""

    search: str = ""
    status: str = ""
    page_context: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 0
    source: str | None = None
    browser: str | None = None
    os: str | None = None
    country: str | None = None

    def filters(self) -> Filters:
        """The filters for the frame."""
        context = "" if self.page_context == NO_CONTEXT else self.page_context
        return Filters(
            search=self.search,
            status=(self.status,) if self.status else (),
            context=(context,) if self.page_context else (),
            source=_chosen(self.source),
            browser=_chosen(self.browser),
            os=_chosen(self.os),
            country=_chosen(self.country),
        )

    @property
    def needs_every_row(self) -> bool:
        """Whether it shows anything but the first page of all visitors in the default order."""
        return self != TableView()

    def updated(self, sent: Any) -> TableView:
        """The view after the browser sent its part; what is not understood is not chosen."""
        if not isinstance(sent, Mapping):
            return self
        page = sent.get("page")
        return replace(
            self,
            search=_search(sent.get("search")),
            status=_one_of(sent.get("status"), Status),
            page_context=_one_of(sent.get("page_context"), [NO_CONTEXT, *PageContext]),
            sort=_sort(sent.get("sort")),
            descending=sent.get("descending") is True,
            page=page if type(page) is int and 0 <= page < MOST_PAGES else 0,
        )

    def toggled(self, column: str, value: str) -> TableView:
        """The view with this choice set, or cleared when it was set before."""
        chosen = None if getattr(self, column) == value else value
        return replace(self, page=0, **{column: chosen})

    def cleared(self, name: str) -> TableView:
        """The view without the choice of this column, or, for "all", with nothing that narrows it."""
        if name in CHOICES:
            return replace(self, page=0, **{name: None})
        return TableView(sort=self.sort, descending=self.descending) if name == "all" else self

    def wire(self) -> dict[str, Any]:
        """The part that the browser keeps."""
        names = ("search", "status", "page_context", "sort", "descending", "page")
        return {name: getattr(self, name) for name in names}

    def parameters(self) -> dict[str, str]:
        """What stands in the address: only what differs from the default."""
        sort = f"-{self.sort}" if self.sort and self.descending else self.sort
        texts = {
            "q": self.search,
            "sort": sort,
            "page": str(self.page + 1) if self.page else "",
            "status": self.status,
            "context": self.page_context,
        }
        chosen = {name: value for name in CHOICES if (value := getattr(self, name)) is not None}
        return {name: text for name, text in texts.items() if text} | {
            name: value or NOT_KNOWN for name, value in chosen.items()
        }


def view_in(parameters: Mapping[str, str]) -> TableView:
    """The view that an address names; what it does not know is not chosen."""
    sort = parameters.get("sort", "")
    page = parameters.get("page", "")
    column = _sort(sort.removeprefix("-"))
    return TableView(
        search=_search(parameters.get("q")),
        status=_one_of(parameters.get("status"), Status),
        page_context=_one_of(parameters.get("context"), [NO_CONTEXT, *PageContext]),
        sort=column,
        descending=bool(column) and sort.startswith("-"),
        page=int(page) - 1 if _is_page(page) else 0,
        source=_choice(parameters.get("source")),
        browser=_choice(parameters.get("browser")),
        os=_choice(parameters.get("os")),
        country=_country(parameters.get("country")),
    )


def current_view() -> TableView:
    """What the page's address says."""
    return _view_of(tuple(address().items()))


def keep_view(view: TableView) -> None:
    """Write the view into the page's address; what else stands there stays."""
    change_address(_rest(address()) | view.parameters())


def around_search() -> tuple[str, str]:
    """The address's query before and after the search: on the first page, as a new search shows it."""
    return _around_search(tuple(address().items()))


# Each draw of the page asks several times, and its address changes seldom.


@lru_cache
def _view_of(parameters: tuple[tuple[str, str], ...]) -> TableView:
    return view_in(dict(parameters))


@lru_cache
def _around_search(parameters: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    view = replace(_view_of(parameters), search="", page=0)
    return urlencode(_rest(dict(parameters))), urlencode(view.parameters())


def _rest(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name not in _IN_ADDRESS}


def _chosen(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _one_of(value: Any, known: Iterable[str]) -> str:
    return value if isinstance(value, str) and value in [str(each) for each in known] else ""


def _search(text: Any) -> str:
    """As it is typed, with the space at its end, unless there is something that nobody types."""
    if not isinstance(text, str):
        return ""
    return (text if text.isprintable() else clean(text, LONGEST_SEARCH))[:LONGEST_SEARCH]


def _sort(name: Any) -> str:
    return _one_of(name, [column.name for column in (*VISITOR_COLUMNS, SITE_COLUMN)])


def _is_page(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and 0 < int(text) <= MOST_PAGES


def _choice(text: str | None) -> str | None:
    """The name as a visit may have it."""
    return text if text == OTHER or (text and clean(text, LONGEST_CHOICE) == text) else None


def _country(text: str | None) -> str | None:
    if text == NOT_KNOWN:
        return ""
    return text if text == OTHER or (text and country_of_code(text) == text) else None
