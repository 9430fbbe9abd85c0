"""A read that may take seconds: it tells how far it is, and ends once nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from threading import Thread
from typing import TypeVar

from core.accounts.identity import Role
from core.database import Connection
from core.tables import Site
from core.trends import TellShare
from pages.parts.viewer import for_viewer, read_as

Answer = TypeVar("Answer")

QUICK = 0.4
"""Seconds within which most answers come: until then nothing is shown."""

SHOW_EVERY = 0.25
"""Seconds between two looks at how far it is."""


class _GivenUp(Exception):
    """Nobody waits for the answer any more."""


def read_with_progress(
    role: Role,
    question: Callable[[Connection, TellShare], Answer],
    site: Site,
    show: TellShare,
) -> Answer:
    """The question's answer, read as by `read_as`, but within LONG_DEADLINE. Raises as `read_as`.

    The question tells its share as it goes on. show: draws it, on the thread of who asks; where the page runs
    again meanwhile, what it draws raises, and the question is given up where it next tells.
    """
    progress = _Progress()
    ask = partial(read_as, role, lambda db: question(db, progress.tell), site, is_long=True)
    answer = _started(for_viewer(ask))
    try:
        wait([answer], QUICK)
        while not answer.done():
            show(progress.share)
            wait([answer], SHOW_EVERY)
        return answer.result()
    finally:
        progress.is_given_up = True


class _Progress:
    """How far a question is. One thread tells it, another one asks."""

    def __init__(self) -> None:
        self.share = 0.0
        self.is_given_up = False

    def tell(self, share: float) -> None:
        """Raises _GivenUp, which ends the question."""
        if self.is_given_up:
            raise _GivenUp
        self.share = share


def _started(work: Callable[[], Answer]) -> Future[Answer]:
    answer: Future[Answer] = Future()
    Thread(target=_work, args=(work, answer), name="long read", daemon=True).start()
    return answer


def _work(work: Callable[[], Answer], answer: Future[Answer]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:
        answer.set_exception(error)
