"""Who is slowed by failed attempts, by how much, and who is not."""

from __future__ import annotations

import pytest

from core.client import Client
from core.enrich.address import parse_address
from pages.sign_in.attempts import (
    ACCOUNT_WAITS,
    OF_ACCOUNT,
    OF_ADDRESS,
    OF_PAIR,
    WAITS,
    Attempt,
    AttemptOrigin,
    Attempts,
    origin_of,
)

ANN, BOB = "ann@shop.example", "bob@shop.example"
NOON = 43_200.0
HOUR = 3_600.0


@pytest.fixture
def attempts() -> Attempts:
    return Attempts()


def at(address: str, device: str = "") -> AttemptOrigin:
    """An origin with this address; an IPv6 one is its network of 64 bits."""
    parsed = parse_address(address)
    block = address if ":" not in address else address[: address.rindex("::")]
    return origin_of(Client(parsed, address, block, has_trusted_peer=True), device)


def fail(
    attempts: Attempts, origin: AttemptOrigin, account: str = ANN, times: int = 1
) -> list[Attempt]:
    """So many attempts at noon that nobody takes back, one after the other."""
    return [attempts.begin(origin, account, NOON) for _ in range(times)]


def test_each_failure_makes_the_next_attempt_wait_longer(attempts: Attempts) -> None:
    found = fail(attempts, at("192.0.2.1"), times=OF_PAIR.most)
    assert [each.wait for each in found] == [0] * OF_PAIR.free + list(WAITS)
    refused = attempts.begin(at("192.0.2.1"), ANN, NOON)
    assert refused.retry_after > 0


def test_refused_attempt_may_be_made_after_as_long_as_was_said(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    fail(attempts, origin, times=OF_PAIR.most)
    said = attempts.begin(origin, ANN, NOON).retry_after
    assert attempts.begin(origin, ANN, NOON + said - 1).retry_after == 1
    assert attempts.begin(origin, ANN, NOON + said).retry_after == 0


def test_whoever_goes_on_while_refused_is_not_refused_for_longer(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    fail(attempts, origin, times=OF_PAIR.most)
    said = attempts.begin(origin, ANN, NOON).retry_after
    fail(attempts, origin, times=1_000)
    assert attempts.begin(origin, ANN, NOON).retry_after == said


def test_one_address_has_few_guesses_in_an_hour(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    checked = sum(
        not attempts.begin(origin, ANN, NOON + tenth / 10).retry_after
        for tenth in range(int(HOUR) * 10)
    )
    assert checked <= OF_PAIR.most + HOUR / OF_PAIR.drains_every


def test_failures_are_forgotten(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    fail(attempts, origin, times=100)
    assert attempts.begin(origin, ANN, NOON + HOUR).wait == 0


def test_guessing_at_an_account_slows_nobody_else(attempts: Attempts) -> None:
    fail(attempts, at("192.0.2.1"), times=20)
    for origin, account in ((at("192.0.2.2"), ANN), (at("192.0.2.1"), BOB)):
        other = attempts.begin(origin, account, NOON)
        assert (other.wait, other.retry_after) == (0, 0)


def test_many_addresses_keep_the_owner_out_for_no_longer_than_a_moment(attempts: Attempts) -> None:
    for number in range(5_000):
        fail(attempts, at(f"198.51.{number % 100}.{number // 100}"))
    owner = attempts.begin(at("192.0.2.1"), ANN, NOON)
    assert (owner.wait, owner.retry_after) == (ACCOUNT_WAITS, 0)
    assert attempts.begin(at("192.0.2.1"), BOB, NOON).wait == 0


def test_account_waits_only_after_many_failures(attempts: Attempts) -> None:
    for number in range(OF_ACCOUNT.free + 1):
        [attempt] = fail(attempts, at(f"198.51.100.{number}"))
        assert attempt.wait == 0
    assert fail(attempts, at("192.0.2.1"))[0].wait == ACCOUNT_WAITS


def test_browser_that_was_signed_in_waits_for_its_own_failures_only(attempts: Attempts) -> None:
    for number in range(100):
        fail(attempts, at(f"198.51.100.{number}"))
    fail(attempts, at("192.0.2.1"), times=100)
    known = at("192.0.2.1", device="a")
    assert [each.wait for each in fail(attempts, known, times=5)] == [0, 0, 0, 0, WAITS[0]]
    assert attempts.begin(at("192.0.2.1", device="b"), ANN, NOON).wait == 0
    fail(attempts, known, times=100)
    assert attempts.begin(known, ANN, NOON).retry_after > 0


def test_one_password_at_many_accounts_is_slowed_too(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    found = [fail(attempts, origin, f"{number}@shop.example")[0] for number in range(60)]
    assert [each.wait for each in found[: OF_ADDRESS.free]] == [0] * OF_ADDRESS.free
    assert found[OF_ADDRESS.free].wait == WAITS[0] and found[-1].retry_after > 0
    assert attempts.begin(at("192.0.2.2"), "0@shop.example", NOON).wait == 0


def test_signing_in_forgets_the_failures_at_this_account_only(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    fail(attempts, origin, BOB, times=6)
    attempt = fail(attempts, origin, ANN, times=5)[-1]
    attempts.succeed(attempt, NOON)
    assert attempts.begin(origin, ANN, NOON).wait == 0
    assert attempts.begin(origin, BOB, NOON).wait == WAITS[2]


def test_own_account_does_not_free_an_address_for_guessing(attempts: Attempts) -> None:
    origin = at("192.0.2.1")
    for _ in range(100):
        fail(attempts, origin, BOB)
        attempts.succeed(attempts.begin(origin, ANN, NOON), NOON)
    assert attempts.begin(origin, BOB, NOON).retry_after > 0


def test_attempt_that_was_not_checked_does_not_count(attempts: Attempts) -> None:
    for _ in range(100):
        attempts.forget(attempts.begin(at("192.0.2.1"), ANN, NOON), NOON)
    again = attempts.begin(at("192.0.2.1"), ANN, NOON)
    assert (again.wait, again.retry_after) == (0, 0)


def test_ipv6_address_counts_by_the_networks_that_one_may_have(attempts: Attempts) -> None:
    fail(attempts, at("2001:db8:0:1::1"), times=20)
    assert attempts.begin(at("2001:db8:0:1::2"), ANN, NOON).retry_after > 0
    assert attempts.begin(at("2001:db8:0:2::1"), ANN, NOON).wait == 0
    for number in range(60):
        fail(attempts, at(f"2001:db8:0:{number:x}::1"), f"{number}@shop.example")
    assert attempts.begin(at("2001:db8:0:ff::1"), "new@shop.example", NOON).retry_after > 0
    assert attempts.begin(at("2001:db8:0:100::1"), "new@shop.example", NOON).retry_after == 0


def test_known_browser_then_known_network_then_quiet_account_is_most_urgent(
    attempts: Attempts,
) -> None:
    attempts.succeed(attempts.begin(at("192.0.2.1"), BOB, NOON), NOON)
    strangers = [fail(attempts, at(f"198.51.100.{number}"))[0] for number in range(40)]
    failing = fail(attempts, at("203.0.113.1"), times=2)[1]
    in_order = [
        attempts.begin(at("203.0.113.2", device="a"), ANN, NOON),
        attempts.begin(at("192.0.2.1"), ANN, NOON),
        attempts.begin(at("203.0.113.3"), BOB, NOON),
        strangers[-1],
        failing,
    ]
    urgencies = [each.urgency for each in in_order]
    assert urgencies == sorted(set(urgencies), reverse=True)
