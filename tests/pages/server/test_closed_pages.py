"""What closed pages leave is freed."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime
from typing import Any
from weakref import ref

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo

from pages.server import closed_pages, shared
from pages.server.closed_pages import end_expired, give_back
from pages.server.shared import Shared, forget_unused
from tests.helpers.event_loop import run
from tests.pages.conftest import Database


class ClosedPage:
    """Something that is kept for a browser that comes back."""

    id = "session"


def test_session_that_is_kept_for_too_long_is_ended_although_no_other_is_closed() -> None:
    storage = MemorySessionStorage(ttl_seconds=0)
    session: Any = ClosedPage()
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))
    left = ref(session)
    del session
    gc.collect()
    assert left() is not None
    end_expired(storage)
    gc.collect()
    assert left() is None


def test_session_that_may_be_opened_again_is_kept() -> None:
    storage = MemorySessionStorage(ttl_seconds=60)
    session: Any = ClosedPage()
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))
    end_expired(storage)
    assert storage.get("session") is not None


def test_cycles_are_freed() -> None:
    session: Any = ClosedPage()
    session.itself, left = session, ref(session)
    del session
    give_back()
    assert left() is None


def test_looks_go_on_and_end_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(closed_pages, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(closed_pages, "_sessions", lambda: looks.append(len(looks)) or len(looks))

    async def serve() -> None:
        async with closed_pages.freed_pages():
            while len(looks) < 4:
                await asyncio.sleep(0.01)

    run(asyncio.wait_for(serve(), 30))
    assert len(looks) >= 4


@pytest.mark.parametrize("is_large", [True, False])
def test_large_answer_is_forgotten_once_nobody_asks_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    now = datetime.now(UTC)
    answers = Shared(lambda _db, _now: ClosedPage(), is_large=is_large)
    first, _, _ = answers.latest(now, 0)
    forget_unused()
    assert answers.latest(now, 0)[0] is first
    monkeypatch.setattr(shared, "UNUSED_AFTER", 0.0)
    forget_unused()
    assert (answers.latest(now, 0)[0] is first) is not is_large
