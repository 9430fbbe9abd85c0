"""Whether a request was made on this machine, to a name of its own, and by no proxy."""

from __future__ import annotations

import pytest

from core.enrich.this_machine import is_direct, is_loopback, names_this_machine


@pytest.mark.parametrize(
    "address, is_here",
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("/run/dashboard.sock", False),
        ("", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(address: str, is_here: bool) -> None:
    assert is_loopback(address) is is_here


@pytest.mark.parametrize(
    "host, is_own",
    [
        ("localhost", True),
        ("LocalHost:8501", True),
        ("[::1]:8501", True),
        ("localhost.evil.example", False),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_it_knows_the_names_of_this_machine(host: str, is_own: bool) -> None:
    assert names_this_machine(host) is is_own


@pytest.mark.parametrize(
    "header",
    [
        *("Forwarded", "Via", "X-Forwarded-For", "x-forwarded-new", "X-Real-IP", "X-Client-IP"),
        *("CF-Connecting-IP", "CF-Ray", "True-Client-IP", "X-Envoy-External-Address", "CDN-Loop"),
    ],
)
def test_a_proxy_is_known_by_what_it_adds(header: str) -> None:
    assert is_direct(["Host", "Accept", "Cookie"])
    assert not is_direct(["Host", header])
