"""Which variables of the environment are settings, or were meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PREFIX = "MONITOR_"

OTHERS = frozenset(
    {
        "MONITOR_HOST",
        "MONITOR_PATH",
        "MONITOR_CADDYFILE",
        "MONITOR_TEST_ARTIFACTS",
        "MONITOR_TEST_BROWSER",
    }
)
"""Variables of ours that are no settings: those of deploy/, which reach the containers too, and of the tests."""

LETTERS_APART = 2
"""How far a name may be from a setting's to be taken for it (own: one slip of the fingers, or two)."""

_ADDED_BY_PLATFORMS = re.compile(
    r"MONITOR_(PORT|SERVICE)(_\w+)?|MONITOR_\w+_(PORT_\d+_\w+|SERVICE_(HOST|PORT)(_\w+)?)"
)
"""What Kubernetes and Docker add where a service is called monitor, or monitor-something: MONITOR_PORT_8600_TCP."""


def misspelt(given: Iterable[str], known: Sequence[str]) -> tuple[str, str] | None:
    """The first variable that is no setting but almost is, and the setting that it is like; or None."""
    for name in _unknown(given, known):
        apart, like = min((_letters_apart(name.upper(), each), each) for each in known)
        if apart <= LETTERS_APART:
            return name, like
    return None


def without_effect(given: Iterable[str], known: Sequence[str]) -> Sequence[str]:
    """The variables that begin as settings do, and are none, in the order of their names."""
    return [name for name in _unknown(given, known) if name.upper().startswith(PREFIX)]


def _unknown(given: Iterable[str], known: Sequence[str]) -> Sequence[str]:
    """In the order of their names; a setting is known in small letters too."""
    return sorted(
        name
        for name in given
        if name.upper().startswith("MON")
        and name.upper() not in (*known, *OTHERS)
        and not _ADDED_BY_PLATFORMS.fullmatch(name.upper())
    )


def _letters_apart(one: str, other: str) -> int:
    """How many letters have to be added, left out, changed or swapped with the next to make one of the other.

    The optimal string alignment distance: each letter is touched once.
    """
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            cheapest = min(
                above[column] + 1,
                current[column - 1] + 1,
                above[column - 1] + (letter != wanted),
            )
            is_swapped = (
                row > 1 and column > 1 and one[row - 2 : row] == other[column - 2 : column][::-1]
            )
            current.append(min(cheapest, before[column - 2] + 1) if is_swapped else cheapest)
        before, above = above, current
    return above[-1]
