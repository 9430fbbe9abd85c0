"""Brings agents' answers to what visitors have left to the site's mail server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from sqlalchemy import Connection

from collector.metrics import Metrics
from collector.notices.desk import Desk, Errand
from core.database import writing
from core.mail.deliveries import due_answers, note_failed, note_sent, take
from core.mail.letter import Letter
from core.mail.mail_outcome import MailOutcome
from core.sites import list_sites
from core.tables import MailAnswer, Site

UNFORESEEN = "The mail could not be made: the collector's log says more."

_log = logging.getLogger("collector.notices")


class AnswerCourier:
    """One site's answers go one after the other; those of several at the same time."""

    def __init__(self, desk: Desk, metrics: Metrics) -> None:
        self._desk = desk
        self._metrics = metrics

    def due(self, db: Connection) -> Sequence[Errand]:
        """What is due now, to each site's mail server by itself."""
        due = due_answers(db, self._desk.now())
        sites = {site.id: site for site in list_sites(db)} if due else {}
        return [
            Errand(f"mail of {site.key}", partial(self._send_all, answers, site))
            for site_id, answers in due.items()
            if (site := sites.get(site_id)) is not None
        ]

    def _send_all(self, answers: Sequence[MailAnswer], site: Site) -> None:
        """Send them, until the server fails."""
        for answer in answers:
            if self._desk.stop.is_set() or not self._send(answer, site):
                return

    def _send(self, due: MailAnswer, site: Site) -> bool:
        """Whether the server works, whatever came of this answer."""
        with writing(self._desk.engine) as db:
            letter = take(db, due, site, self._desk.now())
        if letter is None:
            return True
        if isinstance(letter, MailOutcome):
            self._tell(due, site, letter, is_given_up=True)
            return True
        outcome = self._send_letter(letter, site)
        is_given_up = self._desk.note(lambda db: self._note(db, due, outcome)) or False
        self._tell(due, site, outcome, is_given_up)
        return not outcome.fault or outcome.is_of_mail

    def _send_letter(self, letter: Letter, site: Site) -> MailOutcome:
        """What nobody has foreseen is a fault of the mail: it is tried again, and given up, as any other."""
        try:
            return _send_letter(letter)
        except Exception as fault:
            self._desk.tell_failed(f"mail of {site.key}", fault)
            return MailOutcome(UNFORESEEN, is_of_mail=True)

    def _note(self, db: Connection, due: MailAnswer, outcome: MailOutcome) -> bool:
        """Note how it went; whether it was given up."""
        if outcome.fault:
            return note_failed(db, due, outcome, self._desk.now())
        note_sent(db, due, self._desk.now())
        return False

    def _tell(self, due: MailAnswer, site: Site, outcome: MailOutcome, is_given_up: bool) -> None:
        """Log and count it: neither who gets it nor a word of it is logged."""
        facts = site.key, due.conversation_id, due.number
        if outcome.fault:
            text = "answer_failed site=%s conversation=%s message=%d fault='%s'"
            _log.warning(text, *facts, outcome.fault)
        else:
            _log.info("answer_sent site=%s conversation=%s message=%d", *facts)
        self._metrics.notice("failed" if outcome.fault else "sent")
        if is_given_up:
            _log.error("answer_given_up site=%s conversation=%s message=%d", *facts)
            self._metrics.notice("given_up")


def _send_letter(letter: Letter) -> MailOutcome:
    # Loaded with the first answer: few collectors ever send one.
    sending = import_module("core.mail.sending")
    return sending.send_letter(letter)
