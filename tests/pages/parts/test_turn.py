"""Viewers' pages are drawn one after another, and none waits for long."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from pages.parts import turn as turns
from pages.parts.turn import turn

WITHIN = 10


def test_pages_are_drawn_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", WITHIN)
    told: list[str] = []

    def draw() -> None:
        with turn():
            told.append("other")

    with turn():
        other = Thread(target=draw)
        other.start()
        other.join(0.05)
        told.append("first")
    other.join(WITHIN)
    assert told == ["first", "other"]


def test_nobody_waits_for_a_page_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    is_drawn = Event()

    def draw() -> None:
        with turn():
            is_drawn.set()

    with turn():
        other = Thread(target=draw)
        other.start()
        assert is_drawn.wait(WITHIN)
        other.join(WITHIN)
    assert turns._turn.acquire(blocking=False)  # pyright: ignore[reportPrivateUsage]
    turns._turn.release()  # pyright: ignore[reportPrivateUsage]


def test_a_page_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(ValueError), turn():
        raise ValueError
    with turn():
        pass
    assert not turns._turn.locked()  # pyright: ignore[reportPrivateUsage]
