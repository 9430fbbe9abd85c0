import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.bot import is_bot

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "bots.csv").open()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["user_agent"][-40:])
def test_machines_are_distinguished_from_people(row: dict[str, str]) -> None:
    found = is_bot(row["user_agent"], brands=row["brands"], webdriver=row["webdriver"] == "1")
    assert found == (row["is_bot"] == "1")


@settings(deadline=None)
@given(st.text(), st.text())
def test_nothing_raises(agent: str, brands: str) -> None:
    is_bot(agent, brands=brands)


@pytest.mark.parametrize(
    "agent",
    ["Mozilla/5.0 (Linux; Android 4.4; " + "Build/" * 2_000, "compatible; " + "a/1." * 4_000,
     "a." * 8_000, "1" * 8_000, "A 1/" * 4_000, "Mozilla/5.0 (iPhone" + ")" * 8_000],
    ids=["builds", "versions", "dots", "digits", "words", "brackets"],
)  # fmt: skip
def test_hostile_agent_is_quick(agent: str) -> None:
    started = time.perf_counter()
    is_bot(agent)
    assert time.perf_counter() - started < 0.5
