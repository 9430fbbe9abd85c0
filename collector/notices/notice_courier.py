"""Brings notices to a site's addresses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from collector.metrics import Metrics
from collector.notices.desk import Desk, Errand
from collector.notices.rate import AddressRate
from core.database import writing
from core.notices.deliveries import Due, drop_answered, due_deliveries, note_failed, note_sent, take
from core.notices.sending import send_text
from core.notices.text import NoticeText, notice_text, summary_text, with_link
from core.sites import list_sites
from core.tables import Site

_log = logging.getLogger("collector.notices")


class NoticeCourier:
    """dashboard_url: the address to which links lead."""

    def __init__(self, desk: Desk, metrics: Metrics, dashboard_url: str) -> None:
        self._desk = desk
        self._metrics = metrics
        self._dashboard_url = dashboard_url
        self._rates: dict[str, AddressRate] = {}

    def due(self, db: Connection) -> Sequence[Errand]:
        """What is due now, to each address by itself."""
        due = due_deliveries(db, self._desk.now())
        sites = {site.id: site for site in list_sites(db)} if due else {}
        return [
            Errand(each.address.id, partial(self._send_all, each, site))
            for each in due
            if (site := sites.get(each.address.site_id)) is not None
        ]

    def _send_all(self, due: Due, site: Site) -> None:
        """Send to one address, until something does not arrive."""
        rate = self._rates.setdefault(due.address.id, AddressRate())
        for notices in rate.texts(due.notices, self._desk.now()):
            is_over = self._desk.stop.is_set()
            if is_over or not self._send(Due(due.address, notices), site, rate):
                return

    def _send(self, due: Due, site: Site, rate: AddressRate) -> bool:
        """Whether it has arrived, or nothing of it was to be sent any more."""
        with writing(self._desk.engine) as db:
            due = drop_answered(db, take(db, due, self._desk.now()))
            text = _text(db, due, site) if due.notices else None
        if text is None:
            return True
        rate.note(self._desk.now())
        fault = send_text(due.address.url, text.title, with_link(text, self._dashboard_url))
        given_up = self._desk.note(lambda db: self._note(db, due, fault)) or 0
        self._tell(due, site, fault, given_up)
        return not fault

    def _note(self, db: Connection, due: Due, fault: str) -> int:
        """Note that it has arrived, or what went wrong; how many were given up."""
        if fault:
            return note_failed(db, due, fault, self._desk.now())
        note_sent(db, due, self._desk.now())
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


def _text(db: Connection, due: Due, site: Site) -> NoticeText:
    if len(due.notices) > 1:
        return summary_text(site, due.notices)
    return notice_text(db, site, due.notices[0], with_words=due.address.with_words)
