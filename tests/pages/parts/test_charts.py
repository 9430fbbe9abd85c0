"""A chart has its numbers in words, and its data at a click."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import altair as alt
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.live.cards import DAY_LABELS
from pages.parts.charts import MOST_TOLD, THEME, _specification, ready_frame
from tests.helpers.drawn_downloads import drawn_downloads
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visits
from tests.pages.conftest import Database, OpenPage
from tests.pages.live.test_charts_guide import picture_of

HOSTILE = "<img src=x onerror=alert(1)>"


def test_numbers_of_a_chart_are_told_in_a_table() -> None:
    told = ready_frame(pd.DataFrame({"day": ["Mon", HOSTILE], "visits": [1, 2], "level": [0, 1]}))
    assert "<th" in told.told and "<td>Mon</td><td>1</td>" in told.told
    assert HOSTILE not in told.told and "&lt;img" in told.told


def test_a_number_that_there_is_not_is_told_as_a_dash() -> None:
    assert "<td>nan</td>" not in ready_frame(pd.DataFrame({"seconds": [1.5, None]})).told
    assert "<td>–</td>" in ready_frame(pd.DataFrame({"seconds": [1.5, None]})).told


def test_only_the_labelled_columns_are_told_and_a_long_table_is_cut() -> None:
    frame = pd.DataFrame({"day": range(MOST_TOLD + 5), "level": 0.5})
    told = ready_frame(frame, {"day": "Day"})
    assert '<th scope="col">Day</th>' in told.told and "level" not in told.told
    assert told.told.count("<tr>") == MOST_TOLD + 2
    assert "5 more rows: show the data" in told.told
    assert told.table.num_rows == MOST_TOLD + 5


def test_what_a_chart_says_of_its_look_counts_more_than_the_theme() -> None:
    def chart() -> alt.Chart:
        return alt.Chart().mark_bar().configure_axis(labelOverlap=False)

    look = _specification(chart)["config"]
    assert look["axis"] == {**THEME["axis"], "labelOverlap": False}
    assert look["bar"] == THEME["bar"]


def test_data_of_a_chart_is_shown_and_taken_away(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = drawn_downloads(monkeypatch)
    days = picture_of(database).days
    page = open_page()
    assert not page.dataframe and not files
    page = show_data(page, "last-7-days")
    shown = page.dataframe[0].value
    assert shown.columns.tolist() == [*DAY_LABELS.values()]
    assert shown["Visits"].tolist() == days["visits"].tolist()
    parquet = read_parquet(files["Download Parquet"])
    assert parquet["visits"].tolist() == days["visits"].tolist()
    assert files["Download CSV"]().startswith("\ufeffdate,label,visits,")


def test_groups_that_stand_for_others_are_in_the_data_by_their_names(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    picture_of(database)
    make_visits(database.engine, site, 40, now=pd.Timestamp.now("UTC").to_pydatetime())
    page = show_data(open_page(), "groups")
    shown = page.dataframe[0].value
    assert set(shown["By"]) == {"From", "Browser", "OS", "Country"}
    assert "Other" not in set(shown["Group"])
    assert shown.groupby("By")["Visitors"].sum().nunique() == 1


def test_table_of_the_sparkline_is_on_the_page(database: Database, open_page: OpenPage) -> None:
    days = picture_of(database).days
    said = texts(open_page())
    assert "Last 7 Days" in said
    assert all(label in said for label in days["label"])


def show_data(page: AppTest, name: str) -> AppTest:
    page.session_state[f"shown-data-{name}"] = True
    page = page.run()
    assert not page.exception
    return page


def read_parquet(make: Callable[[], Any]) -> pd.DataFrame:
    return pd.read_parquet(BytesIO(make()))
