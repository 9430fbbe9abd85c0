"""Which address is the visitor's, behind the owner's own proxies."""

from ipaddress import ip_network
from time import perf_counter

import pytest

from core.client import UNTRUSTED_PROXY, Clients

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def clients(warnings):
    return Clients(TRUSTED, warnings.append)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.2.2.2, 10.3.3.3", "10.2.2.2"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("fd00::1", "2001:DB8:0::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, <script>", "10.0.0.1"),
        ("10.0.0.1", "<script>, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7,,", "10.0.0.1"),
        ("", None, ""),
        ("testclient", "198.51.100.7", ""),
    ],
)
def test_client_is_the_right_most_entry_that_is_no_trusted_proxy(clients, peer, forwarded, client):
    header = None if forwarded is None else forwarded.encode()

    assert clients.find(peer, header).text == client


def test_only_the_last_hops_are_read(clients):
    forwarded = ", ".join(["198.51.100.7", *["10.0.0.2"] * 100])

    assert clients.find("10.0.0.1", forwarded.encode()).text == "10.0.0.2"


def test_long_header_is_read_from_its_end(clients):
    forwarded = b"198.51.100.7, " * 10_000 + b"203.0.113.9"

    assert clients.find("10.0.0.1", forwarded).text == "203.0.113.9"


def test_endless_header_costs_no_time(clients):
    began = perf_counter()

    clients.find("10.0.0.1", b"10.0.0.2," * 100_000)

    assert perf_counter() - began < 0.5


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.168.1.5", "172.16.0.1", "::1", "fe80::1%eth0"])
def test_private_peer_that_forwards_and_is_not_trusted_is_warned_of(clients, warnings, peer):
    clients.find(peer, b"198.51.100.7")

    assert warnings == [UNTRUSTED_PROXY]


@pytest.mark.parametrize(
    ("peer", "forwarded"),
    [("127.0.0.1", None), ("10.0.0.1", b"198.51.100.7"), ("8.8.8.8", b"198.51.100.7")],
)
def test_others_are_not_warned_of(clients, warnings, peer, forwarded):
    clients.find(peer, forwarded)

    assert warnings == []


def test_warning_is_logged_once_and_without_an_address(clients, caplog):
    for last in range(5):
        clients.find(f"192.168.7.{last}", b"198.51.100.7")

    (record,) = caplog.records
    assert "MONITOR_TRUSTED_PROXIES" in record.getMessage()
    assert "192.168.7" not in caplog.text
    assert "198.51.100" not in caplog.text


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
    ],
)
def test_addresses_that_one_visitor_can_change_at_will_are_one(clients, one, other, is_one):
    assert (clients.find(one, None).block == clients.find(other, None).block) is is_one
