"""One address that opens visits without end: it has a limit, and nobody else notices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.writing import visit_batch
from collector.writing.inbox import Inbox
from collector.writing.visit_batch import VisitBatch
from core.settings import RateLimit
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.running_collector import CHROME, MINUTE, RunningCollector, view, wait_for

pytestmark = pytest.mark.long

THREE = RateLimit(1 / 3_600, 3)
"""Three visits, and no other within the test."""
PROXY = ip_network("127.0.0.1/32")


@pytest.fixture
def limited(run_collector: Callable[..., RunningCollector], database_url: str) -> RunningCollector:
    """A collector, on both databases, in which each address may open three visits."""
    return run_collector(database_url, new_visits=THREE, trusted_proxies=(PROXY,))


def opens(collector: RunningCollector, number: int, **more: Any) -> int:
    """The status of a page view that would open another visit."""
    return collector.post(view(), visit=f"visit{number:011d}", **more).status_code


def comes_from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_new_visits_of_one_address_beyond_the_limit_are_429_and_counted(limited):
    assert [opens(limited, number) for number in range(5)] == [200, 200, 200, 429, 429]

    refused = limited.post(view(), visit="visit00000000009")
    assert refused.headers["X-Drop-Reason"] == "too_many_visits"
    assert 0 < int(refused.headers["Retry-After"]) <= 3_600
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert limited.row("SELECT count(*) FROM visit") == (3,)
    wait_for(lambda: limited.drops() == {"too_many_visits": 3})
    assert limited.rows("SELECT DISTINCT site_id FROM drop_count") == [(1,)]
    assert opens(limited, 10, headers=comes_from("198.51.100.1")) == 200


def test_visits_that_go_on_are_never_refused(limited):
    for number in range(4):
        opens(limited, number)

    shown = [limited.post(view(n), visit="visit00000000000").status_code for n in range(2, 60)]
    seen = limited.post({"e": "p", "n": 60, "u": "/", "f": 1}, visit="visit00000000001")
    another_tab = limited.post(view(), visit="visit00000000002", tab="tab00002")

    assert {*shown, seen.status_code, another_tab.status_code} == {200}


def test_refused_visit_comes_later_and_counts_once(run_collector, database_url):
    collector = run_collector(database_url, new_visits=RateLimit(1, 1))
    opens(collector, 1)
    first = collector.post(view(1, "/a"), visit="visit00000000002")
    assert first.status_code == 429

    events = [view(1, "/a", o=2), view(2, "/b")]
    answers = wait_for(
        lambda: (answer := collector.post(*events, visit="visit00000000002")).is_success and answer
    )

    assert answers.json()["s"] == "visit00000000002"
    assert collector.row("SELECT page_count FROM visit WHERE id = 'visit00000000002'") == (2,)


def test_page_view_whose_answer_was_lost_takes_nothing_more(limited):
    assert [opens(limited, 0) for _ in range(10)] == [200] * 10

    assert [opens(limited, number) for number in range(1, 4)] == [200, 200, 429]


def test_successor_of_a_visit_that_has_ended_is_a_new_visit_and_counts_once(limited):
    opens(limited, 0)
    limited.clock.advance(31 * MINUTE)

    again = [limited.post(view(2), visit="visit00000000000").status_code for _ in range(5)]

    assert again == [200] * 5
    assert [opens(limited, number) for number in (1, 2)] == [200, 429]


def test_networks_of_one_ipv6_customer_have_a_limit_together(limited):
    one_network = [
        opens(limited, number, headers=comes_from(f"2001:db8:1:1::{number + 1:x}"))
        for number in range(4)
    ]
    others = [
        opens(limited, number, headers=comes_from(f"2001:db8:1:{number:x}::1"))
        for number in range(100, 140)
    ]

    assert one_network == [200, 200, 200, 429]
    assert others == [200] * 27 + [429] * 13
    assert opens(limited, 200, headers=comes_from("2001:db8:2:1::1")) == 200


def test_transaction_that_was_undone_has_taken_nothing(limited, monkeypatch):
    """A hit that no transaction bears is found by halving: the others are recorded several times."""
    advance = visit_batch.advance

    def fail_for_one(visit: Any, tab: str, event: Any, rows: Any) -> None:
        if event.path == "/bad":
            raise ZeroDivisionError
        advance(visit, tab, event, rows)

    monkeypatch.setattr(visit_batch, "advance", fail_for_one)
    opened: list[str] = []
    open_one = VisitBatch._open

    def count(self: Any, hit: Any, visit_id: str, *more: Any) -> Any:
        opened.append(visit_id)
        return open_one(self, hit, visit_id, *more)

    monkeypatch.setattr(VisitBatch, "_open", count)
    statuses: dict[int, int] = {}

    def send(number: int) -> None:
        path = "/bad" if number == 0 else "/good"
        body = {"v": 1, "k": "shop1", "s": f"visit{number:011d}", "t": "tab00001"}
        statuses[number] = limited.send({**body, "b": [view(1, path)]}).status_code

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    with held_writer(monkeypatch):
        for thread in threads:
            thread.start()
        wait_for(lambda: limited.app.beacon.write_queue.depth == len(threads))
    for thread in threads:
        thread.join()

    assert statuses == {0: 400, 1: 200, 2: 200, 3: 200}
    assert len(opened) > len(threads), "no transaction was undone"


@contextmanager
def held_writer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile the writer takes nothing, so that what is sent becomes one batch."""
    take, may_go = Inbox.take_hits, threading.Event()

    def wait_and_take(inbox: Inbox, most: int) -> Any:
        assert may_go.wait(20)
        inbox.read()
        return take(inbox, most)

    monkeypatch.setattr(Inbox, "take_hits", wait_and_take)
    yield
    may_go.set()


@pytest.fixture(params=["sqlite", "postgres"])
def as_shipped(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str
) -> Iterator[CollectorProcess]:
    """The collector as its own process, with the limits that it has by default."""
    process = CollectorProcess(
        tmp_path,
        ["shop1"],
        postgres_url if request.param == "postgres" else "",
        MONITOR_RATE_LIMIT="10/s burst 40",
        MONITOR_NEW_VISITS="120/min burst 300",
        MONITOR_TRUSTED_PROXIES="127.0.0.1",
    )
    process.start()
    yield process
    process.stop()


def test_burst_of_one_address_is_answered_200_or_429_and_nothing_else(as_shipped):
    def post(number: int) -> int:
        body = {"v": 1, "k": "shop1", "s": f"visit{number:011d}", "t": "tab1", "b": [view()]}
        return http.post("/v1/beacon", json=body, headers=comes_from("203.0.113.1")).status_code

    with (
        httpx.Client(
            base_url=f"http://127.0.0.1:{as_shipped.port}",
            headers={"User-Agent": CHROME},
            timeout=30,
        ) as http,
        ThreadPoolExecutor(50) as senders,
    ):
        statuses = list(senders.map(post, range(300)))
        body = {"v": 1, "k": "shop1", "s": "honest0000000001", "t": "tab1", "b": [view()]}
        honest = http.post("/v1/beacon", json=body, headers=comes_from("198.51.100.1"))

    assert {*statuses} == {200, 429}
    assert statuses.count(200) >= 40
    assert honest.status_code == 200
