"""The way of a request as a list of steps: each adds what it has found out, or ends the way with a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from enum import Enum
from typing import Any, Final, Literal

from collector.http.responses import Response


class _Later(Enum):
    LATER = "later"


LATER: Final = _Later.LATER
"""Something else goes on with the way, once there is what the step waits for."""

Later = Literal[_Later.LATER]
Found = Response | Awaitable[Response | None]
Step = Callable[[Any], Found | Later | None]
"""Adds to an incoming request what it has found out, or gives the response that ends the way."""


def find_next(steps: Iterator[Step], incoming: Any) -> Found | Later:
    """What the first of the steps gives that gives anything; the iterator then stands behind that step."""
    for step in steps:
        found = step(incoming)
        if found is not None:
            return found
    raise RuntimeError("no step has given a response")


async def take_steps(steps: Iterable[Step], incoming: Any) -> Response:
    """The response of the first step that gives one; the last step always does, and none gives LATER."""
    ahead = iter(steps)
    while True:
        found = find_next(ahead, incoming)
        if found is LATER:
            raise RuntimeError("nothing goes on with this way")
        response = found if isinstance(found, Response) else await found
        if response is not None:
            return response
