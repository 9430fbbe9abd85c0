"""The sender: a process that sends notices, and answers by mail. It is there while there is where to send to.

It writes for itself, shortly and seldom, as a dashboard does: what it takes, and what has arrived.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from select import select

from sqlalchemy import Engine

from collector.metrics import Metrics
from collector.notices.answer_courier import AnswerCourier
from collector.notices.desk import Desk
from collector.notices.notice_courier import NoticeCourier
from core.database import DATABASE_ERRORS, mark_damage, reading

LOOK_EVERY = 1.0
"""Seconds between two looks whether something is due."""

SENT_AT_ONCE = 4
"""Addresses and mail servers that are sent to at the same moment: one that does not answer holds up no other."""

_ENDS_WITHIN = 2.0


class SendingProcess:
    """Sends what is due until it is to stop. dashboard_url: the address to which links lead."""

    def __init__(
        self, engine: Engine, metrics: Metrics, dashboard_url: str, clock: Callable[[], int]
    ) -> None:
        self._desk = Desk(engine, clock)
        self._couriers = (
            NoticeCourier(self._desk, metrics, dashboard_url),
            AnswerCourier(self._desk, metrics),
        )
        self._under_way: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(SENT_AT_ONCE, thread_name_prefix="notices")

    def run(self, control: socket.socket) -> None:
        """Until the parent says that it is to stop, or ends; what is being sent then has a moment to arrive."""
        while not select([control], [], [], LOOK_EVERY)[0]:
            self._look()
        self._desk.stop.set()
        wait(self._under_way.values(), _ENDS_WITHIN)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def send_due(self) -> None:
        """Send what is due now, and return once that is done."""
        self._begin()
        wait(self._under_way.values())

    def _look(self) -> None:
        """Begin with what is due; a fault of the database is told once, until it is over."""
        try:
            self._begin()
        except DATABASE_ERRORS as fault:
            mark_damage(self._desk.engine, fault)
            self._desk.note_fault(type(fault).__name__)
        else:
            self._desk.note_fault("")

    def _begin(self) -> None:
        with reading(self._desk.engine) as db:
            due = [each for courier in self._couriers for each in courier.due(db)]
        self._under_way = {id: each for id, each in self._under_way.items() if not each.done()}
        for target, send in due:
            if target not in self._under_way:
                self._under_way[target] = self._threads.submit(self._desk.attempt, target, send)
