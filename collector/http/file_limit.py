"""How many files the process may have open: every stream is one."""

from __future__ import annotations

import resource
from contextlib import suppress

ENOUGH_FILES = 65_536
"""Where the system sets no limit: one proxy address has no more connections."""


def allow_open_files() -> None:
    """Allow as many as the system does; processes that are started from here inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def room_for_connections() -> int:
    """Seven of eight files that may be open: the database, the log and the listener need some too.

    So a connection more is always accepted, and then one goes that does nothing; where accepting fails,
    nobody gets in.
    """
    return _files() * 7 // 8


def room_for_streams() -> int:
    """Half of the files that may be open: the other connections need some too."""
    return _files() // 2


def room_for_listeners() -> int:
    """A quarter of them: a page without one hears of an invitation by its beacons."""
    return _files() // 4


def _files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft
