"""Hostile and odd requests, one a line in data/hostile.jsonl, each through a real socket.

expect: codes, classes such as 2xx, or "close" (closed without an answer). stored: whether the
row's id may be found in any table afterwards. pad: [text, n] in place of @PAD@.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from core.settings import RateLimit
from tests.helpers.running_collector import RunningCollector, running_collector

Row = dict[str, Any]
ROWS: list[Row] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "hostile.jsonl").read_text().splitlines()
]
VOLUME = [row for row in ROWS if row["group"] == "volume"]
SINGLE = [row for row in ROWS if row["group"] != "volume"]
SLACK = 5
"""How much slower than max_ms a busy machine may be."""


@pytest.fixture(scope="module")
def patient(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[RunningCollector]:
    """One collector for all rows, without a rate limit."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("hostile") / "monitor.db")
    with running_collector(f"sqlite:///{file}") as collector:
        yield collector


@pytest.mark.parametrize("row", SINGLE, ids=lambda row: row["id"])
def test_hostile_request_is_answered_as_it_deserves(patient: RunningCollector, row: Row):
    began = monotonic()
    answers = [send(patient.port, row) for _ in range(row.get("repeat", 1))]
    took = (monotonic() - began) * 1_000

    assert all(is_expected(answer, row["expect"]) for answer in answers), (answers, row["note"])
    assert took < row.get("max_ms", 2_000) * SLACK
    check_stored(patient, row)
    check_still_answers(patient)


@pytest.mark.parametrize("row", VOLUME, ids=lambda row: row["id"])
def test_burst_from_one_address_is_slowed_down(run_collector, sqlite_url: str, row: Row):
    collector = run_collector(sqlite_url, rate_limit=RateLimit(10, 40))

    with ThreadPoolExecutor(row.get("parallel", 1)) as pool:
        requests = [pool.submit(send, collector.port, row) for _ in range(row["repeat"])]
        answers = Counter(request.result() for request in requests)

    assert all(is_expected(answer, row["expect"]) for answer in answers), answers
    assert "some" not in row or any(is_expected(answer, [row["some"]]) for answer in answers)
    check_stored(collector, row)


def send(port: int, row: Row) -> str:
    """The status of the answer, or "close"."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(write_request(row))
            response = http.client.HTTPResponse(connection, method=row.get("method", "POST"))
            response.begin()
            return str(response.status)
    except (ConnectionError, http.client.HTTPException):
        return "close"


def write_request(row: Row) -> bytes:
    """The request as it travels."""
    if "raw_b64" in row:
        return base64.b64decode(row["raw_b64"])
    body = read_body(row)
    headers = row.get("headers", {})
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", "collector"))
    if body and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    lines = [
        f"{row['method']} {row['path']} HTTP/1.1",
        *(f"{name}: {value}" for name, value in pairs),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def read_body(row: Row) -> bytes:
    if "body_b64" in row:
        return base64.b64decode(row["body_b64"])
    text = row.get("body", "")
    if "pad" in row:
        text = text.replace("@PAD@", row["pad"][0] * row["pad"][1])
    return text.encode("utf-8", "surrogatepass")


def is_expected(answer: str, expected: list[str]) -> bool:
    return answer in expected or f"{answer[0]}xx" in expected


def check_stored(collector: RunningCollector, row: Row) -> None:
    stored = collector.everything()
    if "stored" in row:
        assert (row["id"] in stored) == row["stored"]
    assert all(text in stored for text in row.get("must_store", []))
    assert not any(text in stored for text in row.get("must_not_store", []))
    if "count" in row:
        (views,) = collector.row(
            "SELECT count(*) FROM page_view WHERE path LIKE :path", path=f"/{row['id']}%"
        )
        assert views == row["count"]["views"]


def check_still_answers(collector: RunningCollector) -> None:
    assert collector.http.get("/healthz").status_code == 200
