"""A short run of `make fuzz`, and that it finds what it looks for."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from core.database import open_database, writing
from core.tables import Visit
from tests.fuzz.fuzz import fuzz_collector
from tests.fuzz.fuzz_client import FuzzTally, judge_answer
from tests.fuzz.fuzz_requests import make_request, valid_beacon
from tests.fuzz.mutated_json import mutated_json
from tests.fuzz.stored_rules import broken_rules
from tests.helpers.stored_rows import store_views, store_visits

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
VISIT = Visit(
    site_id=1,
    id="a1b2c3d4e5f6g7h8",
    started_at=NOW,
    last_seen_at=NOW,
    last_activity_at=NOW,
    in_view_until=NOW,
    entry_path="/",
    current_path="/",
).model_dump()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_collector_survives_what_no_browser_sends() -> None:
    assert list(fuzz_collector("", 1_500, seed=1)) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_collector_survives_it_on_postgres(postgres_url: str) -> None:
    assert list(fuzz_collector(postgres_url, 500, seed=2)) == []


def test_a_seed_makes_the_same_requests_again() -> None:
    made = [make_request(random.Random("1-2"), ["visit"], []) for _ in range(2)]
    assert made[0] == made[1]


def test_mutated_json_is_seldom_what_it_was_and_often_still_json() -> None:
    value = valid_beacon("a1b2c3d4e5f6g7h8", "tab1", 1)
    made = [mutated_json(value, random.Random(seed)) for seed in range(300)]
    assert len(set(made)) > 280
    assert sum(map(_is_json, made)) > 100


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "answered 503"),
        (
            b"HTTP/1.1 400 Bad Request\r\nx-drop-reason: fault\r\n\r\n",
            "a fault of the collector's own",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<p>", "answered with markup"),
        (b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n\r\n", "answered 502"),
    ],
)
def test_a_bad_answer_is_a_failure(answer: bytes, fault: str) -> None:
    tally = FuzzTally()
    judge_answer(tally, b"POST", answer)
    assert tally.failures == [(b"POST", fault)]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nx-drop-reason: queue_full\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nx-drop-reason: malformed\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}",
    ],
)
def test_an_answer_that_a_client_knows_is_none(answer: bytes) -> None:
    tally = FuzzTally()
    judge_answer(tally, b"POST", answer)
    assert tally.failures == []
    assert sum(tally.answers.values()) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("current_title", "two\x0blines"),
        ("current_title", "a" * 257),
        ("current_title", "a\u202eb"),
        ("current_path", "//evil.example"),
        ("campaign", " spaces around "),
        ("page_context", "Basement"),
        ("attributes", {"name": "tab\there"}),
        ("attributes", {f"name {number}": "x" for number in range(11)}),
    ],
)
def test_a_stored_text_that_breaks_a_rule_is_found(
    sqlite_url: str, column: str, value: object
) -> None:
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        store_visits(db, [VISIT | {column: value}])
    found = list(broken_rules(engine))
    engine.dispose()
    assert [fault.split()[0] for fault in found] == [f"visit.{column}"]


def test_clean_rows_break_no_rule(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    view = {"site_id": 1, "visit_id": VISIT["id"], "tab": 1, "number": 1, "viewed_at": NOW}
    with writing(engine) as db:
        store_visits(db, [VISIT | {"attributes": {"name": "Zoë 👩🏽‍🚀"}}])
        store_views(db, [view | {"path": "/корзина", "title": "<b>Tea</b>"}])
    found = list(broken_rules(engine))
    engine.dispose()
    assert found == []


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
