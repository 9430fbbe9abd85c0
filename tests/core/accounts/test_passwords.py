"""Passwords: which are taken, and which one is the right one."""

from pathlib import Path

import pytest

from core.accounts import passwords
from core.accounts.passwords import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    PasswordError,
    check_password,
    hash_password,
    is_password,
)
from core.settings import settings

COMMON = Path(passwords.__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines()
GOOD = "lantern-orbit"
ANN = ("Ann Miller", "ann.miller@teashop.example")


@pytest.fixture
def dashboard_url(monkeypatch):
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", "https://monitor.teashop.example")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("x-y" * 3, "too short: take 10"),
        ("x" * (LONGEST_PASSWORD + 1), "too long: take at most 256"),
        ("é" * 5 + "x" * 4, "too short"),
        ("e\u0301" * 5, "too short"),  # ten characters that are five letters
        ("\ufdfa", "too short"),  # one character that is eighteen letters
        ("lantern\0orbit", "no keyboard has"),
        ("lantern\norbit", "no keyboard has"),
        ("lantern\ud800orbit", "no keyboard has"),
        ("password123", "first that are tried"),
        ("PassWord123", "first that are tried"),
        ("ｐａｓｓｗｏｒｄ１２３", "first that are tried"),
        ("1234567890", "first that are tried"),
        ("Ann Miller", "everybody knows"),
        ("annmiller1977", "everybody knows"),
        ("ann.miller", "everybody knows"),
        ("Ann.Miller@TeaShop.example", "everybody knows"),
        ("visitor-monitor", "everybody knows"),
        ("monitor.teashop.example1", "everybody knows"),
    ],
)
def test_password_that_would_be_guessed_or_cannot_be_typed_is_refused(
    dashboard_url, password, expected
):
    with pytest.raises(PasswordError, match=expected):
        check_password(password, *ANN)


@pytest.mark.parametrize(
    "password",
    [
        "x" * (SHORTEST_PASSWORD - 1) + "y",
        "xy" * (LONGEST_PASSWORD // 2),
        "Ann Miller drinks tea",
        "пароль из слов",
        "4711081547",
        "  spaces are kept  ",
        "🫖🍵🫖🍵🫖🍵🫖🍵🫖🍵",
    ],
)
def test_other_password_is_taken_as_it_is(password):
    assert check_password(password, *ANN) == password


def test_list_of_common_ones_is_long_and_each_of_it_is_refused():
    listed = [line for line in COMMON if not line.startswith("#")]

    assert len(listed) >= 2_000
    assert len(set(listed)) == len(listed)
    for password in listed:
        with pytest.raises(PasswordError, match="first that are tried"):
            check_password(password)


def test_right_password_is_told_from_any_other():
    stored = hash_password(GOOD)

    assert stored != hash_password(GOOD)
    assert stored.startswith("$argon2id$")
    assert is_password(stored, GOOD)
    for other in (GOOD.upper(), f"{GOOD} ", GOOD[:-1], "", f"{GOOD}\0", "\ud800", GOOD * 100_000):
        assert not is_password(stored, other)


def test_accent_may_be_typed_as_one_character_or_as_two():
    assert is_password(hash_password("caf\u00e9 au lait"), "cafe\u0301 au lait")


@pytest.mark.parametrize("stored", ["", "not a hash"])
@pytest.mark.parametrize("password", ["", GOOD, "the password of nobody"])
def test_nothing_is_the_password_of_whom_has_none(stored, password):
    assert not is_password(stored, password)
