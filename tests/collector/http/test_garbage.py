"""Nothing is left to Python's collector of garbage that each request or each look would leave."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.database import open_database, reading
from core.schema import schema_revision
from tests.helpers.running_collector import CHROME, ORIGIN, wait_for

OFTEN = 40


@pytest.fixture
def left_over() -> Iterator[Callable[[], Counter[str]]]:
    """The objects of the collector's own and its libraries' types that were made since and still exist."""
    gc.collect()
    gc.disable()
    before = {id(each) for each in gc.get_objects()}

    def count() -> Counter[str]:
        new = [type(each) for each in gc.get_objects() if id(each) not in before]
        return Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in new)

    try:
        yield count
    finally:
        gc.enable()


@pytest.mark.parametrize("path", ["/v1/beacon", "/readyz", "/embed/visitor-monitor.js"])
def test_connection_that_has_ended_is_gone(run_collector, sqlite_url, request, path):
    collector = run_collector(sqlite_url)
    left_over = request.getfixturevalue("left_over")

    for number in range(OFTEN):
        with httpx.Client(base_url=collector.url) as browser:
            if path == "/v1/beacon":
                visit = f"a1b2c3d4e5f6g7{number:02d}"
                event = {"e": "v", "n": 1, "u": "/"}
                body = {"v": 1, "k": "shop1", "s": visit, "t": "tab00001", "b": [event]}
                headers = {"Origin": ORIGIN, "User-Agent": CHROME}
                answer = browser.post(path, json=body, headers=headers)
            else:
                answer = browser.get(path)
        assert answer.status_code == 200, answer.text

    def are_gone() -> bool:
        found = left_over()
        ours = {name: number for name, number in found.items() if "rotocol" in name}
        return max(ours.values(), default=0) <= 2  # the last ones may just be closing

    wait_for(are_gone, seconds=5)


def test_look_at_the_revision_leaves_nothing(sqlite_url, run_collector, request):
    run_collector(sqlite_url)
    engine = open_database(sqlite_url)
    with reading(engine) as db:
        schema_revision(db)
    left_over = request.getfixturevalue("left_over")

    for _ in range(OFTEN):
        with reading(engine) as db:
            assert schema_revision(db)

    tables = {name: number for name, number in left_over().items() if "sql.schema" in name}
    engine.dispose()
    assert tables == {}
