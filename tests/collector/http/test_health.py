"""/healthz, /readyz and /metrics."""

import re
import sqlite3
from pathlib import Path

import pytest
from prometheus_client.utils import floatToGoString
from sqlalchemy import make_url

from tests.helpers.database_away import database_away
from tests.helpers.running_collector import view, wait_for


def test_process_that_answers_is_healthy(collector):
    answer = collector.http.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_ready_names_the_database_and_its_version(run_collector, database_url):
    answer = run_collector(database_url).http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert re.fullmatch(r"(SQLite 3|Postgres 1\d)\.[\d.]+", answer.json()["database"])


def test_locked_database_is_not_ready(collector, sqlite_url, monkeypatch):
    monkeypatch.setattr("collector.http.readiness.READY_WITHIN", 0.3)
    other = sqlite3.connect(Path(make_url(sqlite_url).database or ""))
    other.execute("BEGIN IMMEDIATE")

    answer = collector.http.get("/readyz")
    other.close()

    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"


def test_metrics_have_results_queue_batches_and_commits(collector):
    collector.post(view())
    collector.post({"e": "p", "n": 1, "u": "/"}, visit="b" * 16)
    collector.send(b"{}")

    text = collector.http.get("/metrics").text

    assert 'monitor_beacons_total{result="accepted"} 1.0' in text
    assert 'monitor_beacons_total{result="no_visit"} 1.0' in text
    assert 'monitor_beacons_total{result="malformed"} 1.0' in text
    assert "monitor_queue_depth 0.0" in text
    assert "monitor_batch_hits_count 2.0" in text
    assert "monitor_commit_seconds_sum" in text
    assert "python_info" not in text, "only the collector's own"


@pytest.fixture
def quick_health(monkeypatch):
    """Request it before the collector."""
    monkeypatch.setattr("collector.background.HEALTH_EVERY", 0.1)


def shows(collector, line: str):
    return lambda: line in collector.http.get("/metrics").text.splitlines()


def test_metrics_say_how_the_installation_is(quick_health, run_collector, database_url):
    collector = run_collector(database_url)
    collector.post(view())
    seconds = floatToGoString(collector.clock.now / 1000)
    wait_for(shows(collector, f'monitor_last_beacon_timestamp_seconds{{site="shop1"}} {seconds}'))
    text = collector.http.get("/metrics").text
    assert re.search(r'monitor_build_info\{database="\w+ [\d.]+.*",schema="\w+",version="', text)
    assert "monitor_health_up 1.0" in text
    assert "monitor_collectors 1.0" in text
    assert 'monitor_warnings{code="collector_silent"} 0.0' in text
    assert f'monitor_retention_last_success_timestamp_seconds{{chore="chats"}} {seconds}' in text
    assert re.search(r"monitor_database_bytes \d", text)
    knows_disk = re.search(r"^monitor_disk_free_bytes \d", text, re.MULTILINE)
    assert bool(knows_disk) == database_url.startswith("sqlite")


def test_database_that_is_away_leaves_out_what_is_known_no_more(
    quick_health, collector, monkeypatch
):
    wait_for(shows(collector, "monitor_health_up 1.0"))
    with database_away(collector.engine, "collector"):
        monkeypatch.setattr("collector.health_metrics.KNOWN_FOR", 0.5)
        wait_for(shows(collector, "monitor_health_up 0.0"))
        text = collector.http.get("/metrics").text
        assert "monitor_warnings" not in text and "monitor_queue_depth" in text
    wait_for(shows(collector, "monitor_health_up 1.0"))


def test_warnings_are_for_who_may_see_the_metrics(quick_health, run_collector, sqlite_url):
    collector = run_collector(
        sqlite_url, public_url="http://monitor.example", metrics_token="s3cret"
    )
    token = {"Authorization": "Bearer s3cret"}

    def told(**options):
        return collector.http.get("/readyz", **options).json()

    wait_for(lambda: "not_https" in told(headers=token)["warnings"])
    assert told(headers=token)["status"] == "ready"
    assert set(told()) == {"status", "database"}


@pytest.mark.parametrize(
    "header",
    [
        *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-New"),
        *("Forwarded", "X-Real-IP", "Via", "CF-Connecting-IP"),
    ],
)
def test_metrics_are_not_for_those_behind_a_proxy(collector, header):
    assert collector.http.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8600", 200),
        ("127.0.0.1", 200),
        ("127.0.0.2:8600", 200),
        ("[::1]:8600", 200),
        ("monitor.example", 403),
        ("localhost.example:8600", 403),
        ("192.0.2.1:8600", 403),
        ("127.0.0.1.example", 403),
        ("", 403),
    ],
)
def test_metrics_are_for_those_who_call_this_machine_by_its_own_name(collector, host, status):
    assert collector.http.get("/metrics", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer s3cret"}, 200),
        ({"Authorization": "Bearer s3cret", "X-Forwarded-For": "198.51.100.1"}, 200),
        ({"Authorization": "Bearer s3cre"}, 403),
        ({"Authorization": "Basic s3cret"}, 403),
        ({"Authorization": "Bearer é"}, 403),
        ({}, 403),
    ],
)
def test_metrics_with_a_token_are_for_those_who_know_it(run_collector, sqlite_url, headers, status):
    collector = run_collector(sqlite_url, metrics_token="s3cret")
    headers = {name: value.encode() for name, value in headers.items()}

    assert collector.http.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/beacon/", "/docs", "/favicon.ico"])
def test_other_paths_are_not_found(collector, path):
    assert collector.http.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/v1/", "/v1/beacon/", "/v1/other"])
def test_any_page_may_read_what_is_not_found_under_v1(collector, path):
    answer = collector.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After, X-Drop-Reason"


def test_other_paths_are_for_no_other_page(collector):
    assert "Access-Control-Allow-Origin" not in collector.http.get("/healthz/none").headers
