"""A collector whose database cannot be used answers for it, within the same bounds as one that serves."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from collector.http.request_size import MOST_OF_HEAD
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.file_shop import FileShop
from tests.helpers.raw_connection import RawConnection, get
from tests.helpers.running_collector import wait_for


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Its file is no database."""
    collector = CollectorProcess(
        tmp_path_factory.mktemp("closed"),
        ["shop"],
        MONITOR_PUBLIC_URL="https://shop.example/our%20monitor",
    )
    collector.database.write_bytes(b"no database at all" * 500)
    collector.begin()
    try:
        wait_for(FileShop(collector).is_closed, 60)
        yield collector
    finally:
        collector.kill()


@pytest.mark.parametrize("below", ["", "/our%20monitor"])
@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/beacon", 503), ("/v1/conversation/tell", 503), ("/readyz", 503), ("/nothing", 404)],
)
def test_closed_collector_answers_at_the_root_and_below_its_public_path(
    closed: CollectorProcess, below: str, path: str, status: int
) -> None:
    url = f"http://127.0.0.1:{closed.port}{below}{path}"
    method = "POST" if path.startswith("/v1/") else "GET"
    answer = httpx.request(method, url, timeout=20)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == path.startswith("/v1/")


def test_closed_collector_bounds_and_counts_its_connections(closed: CollectorProcess) -> None:
    with RawConnection(closed.port) as connection:
        connection.send(get("/readyz", f"X: {'x' * 2 * MOST_OF_HEAD}"))
        assert connection.read_to_end().startswith(b"HTTP/1.1 431 ")

    metrics = httpx.get(f"http://127.0.0.1:{closed.port}/metrics", timeout=20).text

    assert 'monitor_refused_connections_total{reason="head_size"} 1.0' in metrics
    assert "\nmonitor_connections " in metrics
