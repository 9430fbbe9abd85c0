"""The sender: a process that tells a site's addresses what has happened. It is there while there are addresses.

It writes for itself, shortly and seldom, as a dashboard does: what it takes, and what has arrived.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from select import select
from threading import Event

from sqlalchemy import Connection, Engine

from collector.metrics import Metrics
from collector.notices.rate import AddressRate
from core.database import DATABASE_ERRORS, mark_damage, reading, writing
from core.faults import place_fault
from core.moment import from_milliseconds
from core.notices.deliveries import Due, drop_answered, due_deliveries, note_failed, note_sent, take
from core.notices.sending import send_text
from core.notices.text import NoticeText, notice_text, summary_text, with_link
from core.sites import list_sites
from core.tables import Site

LOOK_EVERY = 1.0
"""Seconds between two looks whether something is due."""

SENT_AT_ONCE = 4
"""Addresses that are sent to at the same moment: one that does not answer holds up no other."""

NOTED_AGAIN_AFTER = 1.0
"""Seconds until what has arrived is noted again, when the database could not."""

_ENDS_WITHIN = 2.0
_log = logging.getLogger("collector.notices")


class NoticeSender:
    """Sends what is due until it is to stop. dashboard_url: the address to which links lead."""

    def __init__(
        self, engine: Engine, metrics: Metrics, dashboard_url: str, clock: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._dashboard_url = dashboard_url
        self._clock = clock
        self._rates: dict[str, AddressRate] = {}
        self._under_way: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(SENT_AT_ONCE, thread_name_prefix="notices")
        self._stop = Event()
        self._fault = ""

    def run(self, control: socket.socket) -> None:
        """Until the parent says that it is to stop, or ends; what is being sent then has a moment to arrive."""
        while not select([control], [], [], LOOK_EVERY)[0]:
            self._look()
        self._stop.set()
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
            mark_damage(self._engine, fault)
            self._note_fault(type(fault).__name__)
        else:
            self._note_fault("")

    def _begin(self) -> None:
        now = self._now()
        with reading(self._engine) as db:
            due = due_deliveries(db, now)
            sites = {site.id: site for site in list_sites(db)} if due else {}
        self._under_way = {id: each for id, each in self._under_way.items() if not each.done()}
        for each in due:
            site, address = sites.get(each.address.site_id), each.address
            if site and address.id not in self._under_way:
                self._under_way[address.id] = self._threads.submit(self._send_all, each, site)

    def _send_all(self, due: Due, site: Site) -> None:
        """Send to one address, until something does not arrive."""
        try:
            rate = self._rates.setdefault(due.address.id, AddressRate())
            for notices in rate.texts(due.notices, self._now()):
                if self._stop.is_set() or not self._send(Due(due.address, notices), site, rate):
                    return
        except Exception as fault:  # what is taken is due again later
            mark_damage(self._engine, fault)
            where = place_fault(fault)
            name = type(fault).__name__
            _log.error("notices_fail address=%s fault=%s at=%s", due.address.id, name, where)

    def _send(self, due: Due, site: Site, rate: AddressRate) -> bool:
        """Whether it has arrived, or nothing of it was to be sent any more."""
        with writing(self._engine) as db:
            due = drop_answered(db, take(db, due, self._now()))
            text = _text(db, due, site) if due.notices else None
        if text is None:
            return True
        rate.note(self._now())
        fault = send_text(due.address.url, text.title, with_link(text, self._dashboard_url))
        given_up = self._note(due, fault)
        self._tell(due, site, fault, given_up)
        return not fault

    def _note(self, due: Due, fault: str) -> int:
        """Note that it has arrived, or what went wrong, however long the database takes; how many were given up."""
        while True:
            try:
                with writing(self._engine) as db:
                    if fault:
                        return note_failed(db, due, fault, self._now())
                    note_sent(db, due, self._now())
                    return 0
            except DATABASE_ERRORS as error:
                self._note_fault(type(error).__name__)
                if self._stop.wait(NOTED_AGAIN_AFTER):
                    return 0

    def _tell(self, due: Due, site: Site, fault: str, given_up: int) -> None:
        """Log and count it. The address itself is never logged."""
        kinds = ",".join(sorted({notice.kind for notice in due.notices}))
        facts = kinds, site.key, due.address.id
        if fault:
            _log.warning("notice_failed kind=%s site=%s address=%s fault='%s'", *facts, fault)
        else:
            _log.info("notice_sent kind=%s site=%s address=%s", *facts)
        self._metrics.notice("failed" if fault else "sent")
        if given_up:
            _log.error("notices_given_up site=%s address=%s notices=%d", *facts[1:], given_up)
            self._metrics.notice("given_up", given_up)

    def _note_fault(self, fault: str) -> None:
        """Log when the database begins to fail, and when it is back."""
        if fault != self._fault:
            self._fault = fault
            if fault:
                _log.warning("notices_not_read fault=%s", fault)
            else:
                _log.info("notices_are_read")

    def _now(self) -> datetime:
        return from_milliseconds(self._clock())


def _text(db: Connection, due: Due, site: Site) -> NoticeText:
    if len(due.notices) > 1:
        return summary_text(site, due.notices)
    return notice_text(db, site, due.notices[0], with_words=due.address.with_words)
