import csv
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.address import embedded_ipv4, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\t", "192.0.2.1"),
        ("192.0.2.1:0", "192.0.2.1"),
        ("192.0.2.1:65535", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:8443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ('"[2001:db8::1]:4711"', "2001:db8::1"),
    ],
)
def test_address_is_read(text: str, address: str) -> None:
    assert parse_address(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "_hidden", "999.1.1.1", "::ffff:999.1.1.1", "192.0.2.1:65536", "192.0.2.1:",
     "192.0.2.1:x", "[192.0.2.1]", "[2001:db8::1", "[2001:db8::1]x", "[2001:db8::1]:x", "[]:80",
     "192.0.2.1, 192.0.2.2", "192.0.2.0/24", "3232235777", "0x7f000001", "192.0.2.01",
     "<script>", "1::2::3", "١٩٢.0.2.1", "192.0.2.1:８０", "1" * 10_000],
)  # fmt: skip
def test_anything_else_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@settings(deadline=None)
@given(st.text() | st.text("0123456789abcdef:.[]% ", max_size=60))
def test_no_text_raises(text: str) -> None:
    parse_address(text)


def test_every_listed_address_is_read_or_refused() -> None:
    rows = csv.DictReader((Path(__file__).parent / "data" / "ips.csv").open())
    assert all(parse_address(row["ip"]) for row in rows if row["country"])


@pytest.mark.parametrize(
    ("address", "embedded"),
    [
        ("2002:5082:101::1", "80.130.1.1"),  # 6to4
        ("2002:5082:101:ffff:ffff:ffff:ffff:ffff", "80.130.1.1"),
        ("64:ff9b::5082:101", "80.130.1.1"),  # NAT64
        ("64:ff9b:1::5082:101", "80.130.1.1"),  # NAT64 with a prefix of the network's own
        ("64:ff9b:1:fffe::5082:101", "80.130.1.1"),
        ("64:ff9b:1:ffff:ffff:ffff:5082:101", "80.130.1.1"),
        ("64:ff9b:1:5082:1:100::", "80.130.1.1"),  # the same, in the layout of a /48
        ("2001:0:4136:e378:8000:63bf:af7d:fefe", "80.130.1.1"),  # Teredo: inverted
        ("::ffff:0:5082:101", "80.130.1.1"),  # translated (SIIT)
        ("2001:638::1", None),
        ("2003:5082:101::1", None),
        ("64:ff9b:2::5082:101", None),
        ("64:ff9b:0:1::5082:101", None),
        ("2001:1:4136:e378:8000:63bf:af7d:fefe", None),
        ("::1", None),
        ("::", None),
        ("80.130.1.1", None),
    ],
)
def test_ipv4_address_inside_an_ipv6_address_is_found(address: str, embedded: str | None) -> None:
    assert embedded_ipv4(ip_address(address)) == (ip_address(embedded) if embedded else None)
