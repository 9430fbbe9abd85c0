"""Who may stay when there are too many connections, and who goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from collector.http import connections as module
from collector.http.connections import Connections
from collector.http.held_counts import OwnCounts
from collector.http.refusal import Refusal
from collector.http.unread_answers import LEAST_READ, READ_WITHIN, UnreadAnswers
from collector.metrics import Metrics, process_numbers
from core.client import Clients

PROXY = "10.0.0.1"


class Guest:
    """A connection that only notes what is done with it."""

    def __init__(self, is_busy: bool = False) -> None:
        self.is_busy = is_busy
        self.is_over = False
        self.sent = 0
        self.unread = 0
        self.refusals: list[Refusal] = []

    def refuse(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def close(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True


def on_loop(test: Callable[[Connections], None], most: int = 5) -> str:
    """Run the test on a loop; returns the metrics afterwards."""

    async def run() -> str:
        metrics = Metrics(process_numbers(1), 0, tuple(Refusal))
        clients = Clients((ip_network(f"{PROXY}/32"),), lambda _: None)
        test(Connections(most, clients, metrics, OwnCounts()))
        return metrics.text().decode()

    return asyncio.run(run())


def admit_idle(connections: Connections, address: str) -> Guest:
    guest = Guest()
    assert connections.admit(guest, address)
    connections.idle.begin(guest, 0)
    return guest


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_ADDRESS", 2)


def test_oldest_idle_connection_of_the_address_goes_for_a_newcomer():
    def test(connections: Connections) -> None:
        other = admit_idle(connections, "198.51.100.9")
        first, second, third = (admit_idle(connections, "198.51.100.1") for _ in range(3))
        assert [each.is_over for each in (other, first, second, third)] == [
            False,
            True,
            False,
            False,
        ]
        assert len(connections) == 3

    assert 'connections_total{reason="made_room"} 1.0' in on_loop(test)


def test_newcomer_is_refused_where_all_of_its_address_are_busy():
    def test(connections: Connections) -> None:
        for _ in range(2):
            assert connections.admit(Guest(is_busy=True), "198.51.100.1")
        assert not connections.admit(Guest(), "198.51.100.1")
        assert connections.admit(Guest(), "198.51.100.2")

    assert 'connections_total{reason="address_full"} 1.0' in on_loop(test)


def test_addresses_of_one_network_of_ipv6_count_together():
    def test(connections: Connections) -> None:
        for number in range(2):
            assert connections.admit(Guest(is_busy=True), f"2001:db8::{number}")
        assert not connections.admit(Guest(), "2001:db8::9")
        assert connections.admit(Guest(), "2001:db8:0:1::9")

    on_loop(test)


@pytest.mark.parametrize("address", [PROXY, "127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_trusted_proxy_and_this_machine_may_have_all(address):
    def test(connections: Connections) -> None:
        assert all(connections.admit(Guest(is_busy=True), address) for _ in range(5))

    on_loop(test)


def test_half_open_ones_go_before_idle_ones_where_all_places_are_taken():
    def test(connections: Connections) -> None:
        idle = [admit_idle(connections, PROXY) for _ in range(3)]
        half_open = [Guest(), Guest()]
        for guest in half_open:
            assert connections.admit(guest, PROXY)
            connections.heads.begin(guest, 1)
        newcomer = Guest()
        assert connections.admit(newcomer, PROXY)
        assert [each.is_over for each in (*half_open, *idle)] == [True, False, False, False, False]

    on_loop(test)


def test_newcomer_is_refused_where_all_are_busy():
    def test(connections: Connections) -> None:
        for _ in range(5):
            assert connections.admit(Guest(is_busy=True), PROXY)
        assert not connections.admit(Guest(), PROXY)
        assert len(connections) == 5

    assert 'connections_total{reason="full"} 1.0' in on_loop(test)


def test_place_of_one_that_has_left_is_free():
    def test(connections: Connections) -> None:
        guests = [Guest(is_busy=True), Guest(is_busy=True)]
        assert all(connections.admit(guest, "198.51.100.1") for guest in guests)
        connections.leave(guests[0])
        connections.leave(guests[0])
        assert connections.admit(Guest(is_busy=True), "198.51.100.1")
        assert not connections.admit(Guest(), "198.51.100.1")

    on_loop(test)


def test_many_refusals_are_one_line_of_the_log(caplog):
    caplog.set_level("INFO", "collector.connections")

    def test(connections: Connections) -> None:
        for _ in range(100):
            connections.count(Refusal.MALFORMED)
            connections.count(Refusal.HOST)

    on_loop(test)

    assert [record.getMessage() for record in caplog.records] == [
        "connections_refused reason=malformed count=1",
        "connections_refused reason=host count=1",
    ]


def test_newcomer_is_refused_once_the_collector_stops():
    def test(connections: Connections) -> None:
        connections.stop()
        assert not connections.admit(Guest(), "127.0.0.1")

    on_loop(test)


@pytest.mark.parametrize(
    ("read", "after", "is_overdue"),
    [
        (0, READ_WITHIN - 1, False),
        (0, READ_WITHIN, True),
        (LEAST_READ - 1, READ_WITHIN, True),
        (LEAST_READ, READ_WITHIN, False),
    ],
)
def test_answer_is_overdue_when_too_little_of_it_was_read(read, after, is_overdue):
    answers: UnreadAnswers[Guest] = UnreadAnswers()
    guest = Guest()
    guest.sent = guest.unread = 100_000
    answers.wrote(guest, 0)

    guest.unread -= read

    assert answers.overdue(after) == [guest][:is_overdue]


def test_answer_that_was_read_is_forgotten():
    answers: UnreadAnswers[Guest] = UnreadAnswers()
    guest = Guest()
    guest.sent = guest.unread = 100
    answers.wrote(guest, 0)
    guest.unread = 0

    assert answers.overdue(1) == []
    assert answers.unread() == []
    guest.unread = 100
    assert answers.overdue(READ_WITHIN + 2) == []
