"""What an agent wants the table to show: kept in the session, so that it survives refreshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import streamlit as st

from core.enrich.page_context import PageContext
from core.frames import Filters
from core.visits.presence import Status
from pages.live.columns import VISITOR_COLUMNS

NO_CONTEXT = "none"
"""The filter's value for visits without a context."""

CHOICES = {"browser": "Browser", "os": "OS", "country": "Country"}
"""The breakdowns, by the frame's column: a click on a row of one narrows the table."""


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
    browser: str | None = None
    os: str | None = None
    country: str | None = None
    selected: str = ""

    def filters(self) -> Filters:
        """The filters for the frame."""
        context = "" if self.page_context == NO_CONTEXT else self.page_context
        return Filters(
            search=self.search,
            status=(self.status,) if self.status else (),
            context=(context,) if self.page_context else (),
            browser=_chosen(self.browser),
            os=_chosen(self.os),
            country=_chosen(self.country),
        )

    def updated(self, sent: Any) -> TableView:
        """The view after the browser sent its part; what is not understood changes nothing."""
        if not isinstance(sent, Mapping):
            return self
        page = sent.get("page")
        return replace(
            self,
            search=str(sent.get("search", ""))[:200],
            status=_one_of(sent.get("status"), list(Status)),
            page_context=_one_of(sent.get("page_context"), [NO_CONTEXT, *PageContext]),
            sort=_one_of(sent.get("sort"), [column.name for column in VISITOR_COLUMNS]),
            descending=sent.get("descending") is True,
            page=page if isinstance(page, int) and 0 <= page < 1_000_000 else 0,
        )

    def toggled(self, column: str, value: str) -> TableView:
        """The view with this choice set, or cleared when it was set before."""
        chosen = None if getattr(self, column) == value else value
        return replace(self, page=0, **{column: chosen})

    def wire(self) -> dict[str, Any]:
        """The part that the browser keeps."""
        return {name: value for name, value in asdict(self).items() if name not in CHOICES}


def view_of(site_key: str) -> TableView:
    """What this session shows of the site."""
    return st.session_state.get(_name(site_key), TableView())


def keep_view(site_key: str, view: TableView) -> None:
    """Keep the view for the next refreshes."""
    st.session_state[_name(site_key)] = view


def _name(site_key: str) -> str:
    return f"view of {site_key}"


def _chosen(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _one_of(value: Any, known: list[str]) -> str:
    return value if isinstance(value, str) and value in [str(each) for each in known] else ""
