"""The writer of a collector, with all that it needs: one for however many workers."""

from __future__ import annotations

import socket
from collections.abc import Callable

from sqlalchemy import Engine

from collector.chat.actions import ACTIONS, RESULTS
from collector.chat.perform import perform
from collector.control import Word, say
from collector.metrics import Gauge, Metrics
from collector.shared_numbers import SharedNumbers
from collector.worker_slot import WRITER_ROW
from collector.writing.codec import ActionCodec
from collector.writing.commit_state import CommitState
from collector.writing.counters import Counters
from collector.writing.housekeeping import Housekeeping
from collector.writing.inbox import Inbox
from collector.writing.retention_chore import Retention
from collector.writing.visit_limit import VisitLimit
from collector.writing.write_load import WriteLoad
from collector.writing.writer import Writer
from core.database import sqlite_file
from core.settings import Settings


def build_writer(
    settings: Settings,
    engine: Engine,
    numbers: SharedNumbers,
    control: socket.socket,
    clock: Callable[[], int],
    *,
    on_lost: Callable[[], None] = lambda: None,
) -> Writer:
    """The writer; the tables must be there. It runs until it hears by the control that it is to stop.

    on_lost: is called when the parent has ended.
    """
    metrics, counters = Metrics(numbers, WRITER_ROW), Counters()
    inbox = Inbox(control, ActionCodec(ACTIONS, RESULTS), counters, on_lost)
    load = WriteLoad(lambda: int(metrics.sum(Gauge.DEPTH)))
    state = CommitState(sqlite_file(settings.database_url), metrics.set)
    state.tell = inbox.tell_state

    def tell_addresses(there_are: bool) -> None:
        say(control, Word.ADDRESSES if there_are else Word.NO_ADDRESSES)

    retention = Retention(settings.retention_days, settings.chat_retention_days)
    return Writer(
        engine,
        inbox,
        perform,
        counters,
        metrics,
        load,
        state,
        Housekeeping(engine, retention, load, clock, tell_addresses),
        VisitLimit(settings.new_visits),
        clock,
    )
