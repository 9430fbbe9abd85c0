"""Answers that viewers share, to questions of which there is no end: those that were asked last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from pages.server.shared import Shared

Value = TypeVar("Value")


class RecentAnswers(Generic[Value]):
    """The questions that were asked last, by their keys, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Shared[Value]] = OrderedDict()
        self._finding = Lock()

    def find(self, key: Hashable, make: Callable[[], Shared[Value]]) -> Shared[Value]:
        """The question with this key; a new one is made where it was not asked lately."""
        with self._finding:
            shared = self._kept.pop(key, None) or make()
            self._kept[key] = shared
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return shared

    def clear(self) -> None:
        """Forget all answers."""
        with self._finding:
            self._kept.clear()
