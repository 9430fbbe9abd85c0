"""What is written once for all viewers of a picture."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import ref

import pandas as pd
import pytest

from core.database import reading
from core.frames import Picture, picture_at
from pages.parts import picture_cache
from pages.parts.picture_cache import once_a_picture
from pages.parts.ready_data import ReadyJson, as_json, ready_data, values_of
from pages.parts.table.component import ready_rows
from tests.helpers.seed import make_site
from tests.pages.conftest import Database


@dataclass(frozen=True)
class ShownPart:
    """Anything that a component is sent."""

    label: str
    more: tuple[int, ...]


@pytest.fixture
def draw(database: Database):
    """A function that makes another picture of the same site."""
    site = make_site(database.engine)

    def draw() -> Picture:
        with reading(database.engine) as db:
            now = datetime.now(UTC)
            return picture_at(db, [site], now, now)

    return draw


def test_what_is_ready_and_what_is_not_arrive_alike() -> None:
    part = ShownPart('"Zoë" 🇩🇪', (1, 2))
    sent = ready_data(one=as_json(part), two=part, three=[part], four="{}", five=None)
    as_read = {"label": '"Zoë" 🇩🇪', "more": [1, 2]}
    assert json.loads(sent) == {
        "one": as_read,
        "two": as_read,
        "three": [as_read],
        "four": "{}",
        "five": None,
    }


def test_letters_are_sent_as_they_are_and_half_a_letter_stops_nothing() -> None:
    assert ready_data(flag="🇩🇪") == '{"flag":"🇩🇪"}'.encode()
    assert json.loads(ready_data(search="a\ud83c")) == {"search": "a?"}


def test_rows_are_written_by_column_and_value() -> None:
    rows = ready_rows(pd.DataFrame({"id": ["a", "b"], "pages": [1, 2]}))
    assert isinstance(rows, ReadyJson)
    assert json.loads(rows) == {"columns": ["id", "pages"], "data": [["a", 1], ["b", 2]]}


def test_values_of_a_column_are_those_that_pandas_writes() -> None:
    moment = pd.Timestamp("2026-11-22T20:00:00Z")
    frame = pd.DataFrame(
        {
            "text": pd.Series(["<b>", "ü"], dtype="str"),
            "gaps": pd.Series(["a", None], dtype="str"),
            "kind": pd.Categorical(["new", None], categories=["new", "old"]),
            "whole": [1, -2],
            "part": [0.5, float("nan")],
            "is": [True, False],
            "perhaps": pd.Series([3, None], dtype="Int64"),
            "maybe": pd.Series([None, True], dtype="boolean"),
            "at": [moment, pd.NaT],
        }
    )
    by_row = zip(*(values_of(frame[name]) for name in frame), strict=True)
    assert [*map(list, by_row)] == json.loads(frame.to_json(orient="values"))


def test_answer_is_made_once_for_each_picture_and_question(draw) -> None:
    made: list[tuple[Picture, str]] = []

    @once_a_picture
    def question(picture: Picture, word: str) -> int:
        made.append((picture, word))
        return len(made)

    one, other = draw(), draw()
    answers = [question(picture, word) for picture in (one, other, one) for word in "aba"]
    assert answers == [1, 2, 1, 3, 4, 3, 1, 2, 1]
    assert made == [(one, "a"), (one, "b"), (other, "a"), (other, "b")]


def test_answers_go_with_their_picture_and_are_never_too_many(
    draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_cache, "MOST_KEPT", 3)

    class GivenAnswer:
        pass

    @once_a_picture
    def question(picture: Picture, number: int) -> GivenAnswer:
        return GivenAnswer()

    picture = draw()
    first = ref(question(picture, 0))
    assert first() is question(picture, 0)
    last = [ref(question(picture, number)) for number in range(1, 4)][-1]
    gc.collect()
    assert first() is None
    assert last() is not None
    del picture
    gc.collect()
    assert last() is None
