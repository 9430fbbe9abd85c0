"""What closed pages leave is freed."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any
from weakref import ref

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo

from pages.__main__ import allocator
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


HELD_AFTER_MOST_ARE_FREED = """
import re
from pathlib import Path
from pages.server.closed_pages import give_back, keep_little

def held():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"^Pss_Anon: +(\\d+)", rollup, re.M)[1])

keep_little()
before = held()
many = [bytes(400) for _ in range(100_000)]
full = held()
many = many[::1_000]
give_back()
print((held() - before) / (full - before))
"""


@pytest.mark.long
@pytest.mark.skipif(not allocator(), reason="not glibc")
def test_what_is_freed_between_objects_that_stay_is_given_back() -> None:
    part = partial(subprocess.check_output, [sys.executable, "-c", HELD_AFTER_MOST_ARE_FREED])
    assert float(part(env={**os.environ, "PYTHONMALLOC": "pymalloc"})) > 0.8
    assert float(part(env=os.environ | allocator())) < 0.2


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
