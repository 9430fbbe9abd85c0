"""Subscribers: each reads what is published under its key, once and in order, or a heartbeat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from core import subscribers
from core.subscribers import Subscriber, Subscribers
from tests.helpers.event_loop import run


@dataclass(frozen=True)
class Line:
    revision: int


def lines(*revisions: int) -> list[Line]:
    return [Line(revision) for revision in revisions]


def subscribe(all_of_them: Subscribers[str, Line], key: str = "one", most: int = 3) -> Subscriber:
    subscriber: Subscriber[str, Line] = Subscriber(key, most)
    all_of_them.add(subscriber)
    return subscriber


async def unread(subscriber: Subscriber[str, Line]) -> list[Line | None]:
    subscriber.end()
    return [line async for line in subscriber]


def test_gets_what_is_published_under_its_key_and_no_other() -> None:
    async def read() -> None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        one, same, other = (subscribe(all_of_them, key) for key in ("one", "one", "other"))
        all_of_them.publish("one", Line(1))
        all_of_them.publish("nobody", Line(2))
        all_of_them.publish("other", Line(3))
        assert await unread(one) == await unread(same) == lines(1)
        assert await unread(other) == lines(3)

    run(read())


def test_gets_nothing_at_or_before_the_revision_that_it_begins_with() -> None:
    async def read() -> list[Line | None]:
        subscriber: Subscriber[str, Line] = Subscriber("one", 9)
        for revision in (4, 5, 6, 6, 5, 7):
            subscriber.push(Line(revision))
        subscriber.begin(5)
        return await unread(subscriber)

    assert run(read()) == lines(6, 7)


def test_who_does_not_keep_up_is_cut_off_and_holds_up_nobody() -> None:
    async def read() -> None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        slow, quick = subscribe(all_of_them), subscribe(all_of_them)
        for revision in range(1, 6):
            all_of_them.publish("one", Line(revision))
            assert await quick.first() == Line(revision)
        assert len(all_of_them) == 1
        assert [line async for line in slow] == lines(1, 2, 3)

    run(read())


def test_cut_off_does_what_the_process_wants() -> None:
    async def read() -> list[str]:
        done: list[str] = []
        all_of_them: Subscribers[str, Line] = Subscribers()
        subscriber: Subscriber[str, Line] = Subscriber("one", 1, lambda: done.append("aborted"))
        all_of_them.add(subscriber)
        for revision in range(1, 5):
            all_of_them.publish("one", Line(revision))
        all_of_them.remove(subscriber)
        return done

    assert run(read()) == ["aborted"]


def test_keys_are_those_that_anybody_has_subscribed_to() -> None:
    async def read() -> None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        one, same, other = (subscribe(all_of_them, key) for key in ("one", "one", "other"))
        assert (len(all_of_them), set(all_of_them.keys)) == (3, {"one", "other"})
        all_of_them.remove(one)
        all_of_them.remove(other)
        all_of_them.remove(other)
        assert (len(all_of_them), set(all_of_them.keys)) == (1, {"one"})
        assert all_of_them.of("one") == {same}
        assert all_of_them.of("other") == set()

    run(read())


def test_silence_gives_a_heartbeat_and_an_update_puts_it_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", 0.4)
    monkeypatch.setattr(subscribers, "CHECK_EVERY", 0.02)

    async def read() -> list[Line | None]:
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: True)
        subscriber = subscribe(all_of_them)
        got = [await anext(subscriber)]
        all_of_them.publish("one", Line(1))
        got += [await anext(subscriber), await anext(subscriber)]
        all_of_them.stop()
        return got

    assert run(read()) == [None, Line(1), None]


def test_there_is_no_heartbeat_while_nothing_feeds_the_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", 0.1)
    monkeypatch.setattr(subscribers, "CHECK_EVERY", 0.02)
    is_fed = False

    async def read() -> list[Line | None]:
        nonlocal is_fed
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: is_fed)
        subscriber = subscribe(all_of_them)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscriber), 0.5)
        is_fed = True
        got = [await anext(subscriber)]
        all_of_them.stop()
        return got

    assert run(read()) == [None]


@pytest.mark.parametrize("heartbeat", [0.1, 15.0])
def test_first_waits_for_an_update_and_for_no_longer(
    monkeypatch: pytest.MonkeyPatch, heartbeat: float
) -> None:
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", heartbeat)
    monkeypatch.setattr(subscribers, "CHECK_EVERY", 0.02)

    async def read() -> list[Line | None]:
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: True)
        subscriber = subscribe(all_of_them)
        monkeypatch.setattr(subscribers, "POLL_WAITS", 0.3)
        nothing = await subscriber.first()
        monkeypatch.setattr(subscribers, "POLL_WAITS", 10)
        asyncio.get_running_loop().call_later(0.3, all_of_them.publish, "one", Line(1))
        return [nothing, await subscriber.first()]

    assert run(read()) == [None, Line(1)]


def test_end_ends_every_stream_after_what_is_unread() -> None:
    async def read() -> None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        one, other = subscribe(all_of_them), subscribe(all_of_them, "other")
        all_of_them.publish("one", Line(1))
        all_of_them.end()
        assert [line async for line in one] == lines(1)
        assert [line async for line in other] == []
        assert await other.first() is None

    run(read())


def test_stream_that_is_to_end_gets_nothing_more() -> None:
    async def read() -> list[Line | None]:
        all_of_them: Subscribers[str, Line] = Subscribers()
        reader = subscribe(all_of_them)
        reader.begin(10)
        all_of_them.end()  # the change 11 could not be read
        all_of_them.publish("one", Line(12))
        return [line async for line in reader]

    assert run(read()) == []


def test_another_thread_publishes_through_the_loop() -> None:
    async def read() -> Line | None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: True)
        subscriber = subscribe(all_of_them)
        await asyncio.to_thread(all_of_them.call_on_loop, all_of_them.publish, "one", Line(1))
        return await subscriber.first()

    assert run(read()) == Line(1)


def test_another_thread_hears_what_has_failed_on_the_loop() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def call() -> None:
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: True)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(all_of_them.call_on_loop, fail)

    run(call())


def test_another_thread_may_come_when_the_loop_has_ended() -> None:
    async def begin() -> Subscribers[str, Line]:
        all_of_them: Subscribers[str, Line] = Subscribers()
        all_of_them.start(lambda: True)
        return all_of_them

    all_of_them = run(begin())
    all_of_them.call_on_loop(all_of_them.publish, "one", Line(1))
