"""One batch of chat actions, committed together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine

from collector.writing.faults import is_of_the_database, name_fault
from core.database import writing
from core.faults import place_fault
from core.locks import take_sites
from core.reasons import Reason, Refused

Perform = Callable[[Connection, Any], Struct]
"""Does one action in the transaction, and gives its result."""

BEGUN_WITHIN = 0.1
"""Seconds of a transaction in which actions are begun, while hits wait. The opening of a chat is some twenty statements:
on Postgres, and on a busy machine, a hundred of them took longer than their visitors wait for an answer."""

_log = logging.getLogger("collector.orders")


def commit_actions(
    engine: Engine,
    perform: Perform,
    actions: Sequence[Any],
    note: Callable[[Exception | None], None],
    within: float = 0,
) -> list[Struct | None]:
    """One result for each action, in one transaction that holds the locks of their sites.

    None: its site is busy for longer than `within` seconds, or the time for others was over, and nothing was done.
    `note` is told the fault of the database by which nothing was committed, or None.
    """
    try:
        with writing(engine) as db:
            taken = take_sites(db, {action.site_id for action in actions}, within)
            results = list(_attempt_in_time(db, perform, actions, taken))
    except Exception as fault:
        if is_of_the_database(fault):
            note(fault)
        _log.warning("chat_orders_not_committed fault=%s", name_fault(fault))
        return [Refused(Reason.NOT_COMMITTED)] * len(actions)
    note(None)
    return results


def _attempt_in_time(
    db: Connection, perform: Perform, actions: Sequence[Any], taken: set[int]
) -> Iterator[Struct | None]:
    """At least one is attempted; the others of a site stay behind one another."""
    latest = monotonic() + BEGUN_WITHIN
    is_first = True
    for action in actions:
        if action.site_id in taken and (is_first or monotonic() < latest):
            is_first = False
            yield _attempt(db, perform, action)
        else:
            yield None


def _attempt(db: Connection, perform: Perform, action: Struct) -> Struct:
    """An action that fails undoes what it wrote, and no other's work."""
    try:
        with db.begin_nested():
            return perform(db, action)
    except Exception as fault:
        if is_of_the_database(fault):
            raise
        _log.error("chat_order_failed fault=%s at=%s", name_fault(fault), place_fault(fault))
        return Refused(Reason.FAULT)
