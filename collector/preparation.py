"""What a database gets before it is served: the tables, and on the very first start a site to try."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from core.command_error import first_line
from core.database import open_database, writing
from core.heartbeat import heartbeats
from core.moment import utc_now
from core.open_file import FileRule
from core.pooler_refusal import pooler_cure
from core.schema import is_current
from core.sites import DEMO_KEY, add_site, list_sites
from core.upgrade import upgrade_database

_INCURABLE = re.compile(
    r"does not exist|authentication failed|no password|pg_hba\.conf|support SSL"
    r"|statement pooling mode|unsupported startup parameter"
)
"""What Postgres, libpq and PgBouncer say when a person has to change something: waiting is no cure."""
_INTERRUPTED = ("57014", "55P03")
"""SQLSTATEs of a server that is there: the statement was cancelled, or has waited too long for a lock."""

_AWAITED = "database_awaited fault='%s' cure='{cure}; the collector goes on by itself once the database answers'"
_CURE = "start Postgres, or correct MONITOR_DATABASE_URL and restart"
_BUSY = (
    "database_busy fault='%s' cure='wait while another collector upgrades the tables, or end what "
    "locks them in Postgres; the collector goes on by itself once they are free'"
)
_log = logging.getLogger("collector")


class AwaitedServer:
    """A Postgres server that may be away at the start, or whose tables may be locked."""

    def __init__(self) -> None:
        self._told = ""

    def prepare(self, do: Callable[[], object]) -> str:
        """ "" once the database is prepared by `do`; else what to wait for, which is logged when it changes.

        Raises what waiting does not cure.
        """
        try:
            do()
        except OperationalError as fault:
            if _INCURABLE.search(str(fault.orig)):
                raise
            line = _waits_for(fault)
            if line != self._told:
                _log.warning(line, first_line(fault.orig))
            self._told = line
            return line % first_line(fault.orig)
        return ""


def prepare(database_url: str, rule: FileRule, with_demo: bool) -> None:
    """Make the tables, or bring them to this version, and on the very first start a site for the demo shop.

    Nothing of the database is open afterwards.
    """
    engine = open_database(database_url, rule)
    try:
        upgrade_database(engine, utc_now())
        with writing(engine) as db:
            if with_demo and _is_first_start(db):
                _add_demo_site(db)
    finally:
        engine.dispose()


def is_prepared(database_url: str, rule: FileRule) -> bool:
    """Whether the tables are those of this version: then `prepare` needs nothing that would stay in memory."""
    engine = open_database(database_url, rule)
    try:
        return is_current(engine)
    finally:
        engine.dispose()


def _is_first_start(db: Connection) -> bool:
    """No site, and no collector has run here: an owner who deletes the demo shop is rid of it."""
    return not list_sites(db) and not heartbeats(db)


def _add_demo_site(db: Connection) -> None:
    """Collectors that start together on a new database take turns; the first one adds it."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("LOCK TABLE site IN SHARE ROW EXCLUSIVE MODE")
    if _is_first_start(db):
        add_site(db, name="Demo shop", key=DEMO_KEY, now=utc_now())


def _waits_for(fault: OperationalError) -> str:
    """The log's line, without what the database said: that may differ from try to try."""
    if getattr(fault.orig, "sqlstate", None) in _INTERRUPTED:
        return _BUSY
    return _AWAITED.replace("{cure}", pooler_cure(str(fault.orig)) or _CURE)
