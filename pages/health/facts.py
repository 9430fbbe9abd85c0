"""What was measured of the installation, in groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import streamlit as st

from core.chore_runs import ChoreName
from core.health.report import HealthReport
from core.health.storage import Storage
from core.health.words import size_in_words
from core.replica import ReplicaState
from core.tables import Collector
from core.visits.arrivals import NO_SITE
from core.visits.labels import duration_label
from pages.parts.drop_reasons import reason_text
from pages.parts.facts import draw_facts
from pages.parts.table.component import Column, Kind, draw_table
from pages.parts.texts import day_and_time_of, plural, small_text

UNKNOWN = "Unknown"
UNSEEN = "Unknown: the database's server keeps it"
ELSEWHERE = "Unknown: it is made where the database's server is"
NEVER = "Never"

SITE_COLUMNS = (
    Column("name", "Site", Kind.PAGE, sorts=False),
    Column("last", "Last report", sorts=False),
)
DROP_COLUMNS = (
    Column("words", "Not recorded in the last 24 hours", Kind.PAGE, sorts=False),
    Column("site", "Site", sorts=False),
    Column("hits", "Reports", Kind.NUMBER, sorts=False),
)

Facts = Sequence[tuple[str, str]]


def draw_report(report: HealthReport, zone: str) -> None:
    """Draw all of it; moments in this time zone."""
    left, right = st.columns(2)
    with left:
        _draw_collectors(report, zone)
        draw_facts("Retention", _retention(report, zone))
    with right:
        draw_facts("Database", _database(report))
        draw_facts("Backups", _backups(report, zone))
    _draw_sites(report, zone)
    _draw_drops(report)


def draw_storage(storage: Storage) -> None:
    """Draw what is known while the database does not answer."""
    draw_facts("Database", [("Size", _size(storage.file_bytes)), *_place(storage)])


def _draw_collectors(report: HealthReport, zone: str) -> None:
    running = report.running
    if not running:
        draw_facts("Collector", [("State", "Has never run on this database")])
    for number, collector in enumerate(running, 1):
        title = "Collector" if len(running) == 1 else f"Collector {number} of {len(running)}"
        draw_facts(title, _collector(report, collector, zone))


def _collector(report: HealthReport, collector: Collector, zone: str) -> Facts:
    silence = report.signs.silence
    heard = duration_label(report.at - collector.seen_at)
    return (
        ("State", "Records visitors" if silence is None else "Does not answer"),
        ("Last sign", f"{heard} ago"),
        ("Runs since", day_and_time_of(collector.started_at, zone)),
        ("Version", collector.version),
        ("Waiting", f"{plural(collector.queued, 'report')} to be written"),
        ("Longest write", _longest_write(collector)),
    )


def _longest_write(collector: Collector) -> str:
    if not collector.commit_ms:
        return "Nothing was written just now"
    return f"{collector.commit_ms:,} ms, of those just now"


def _database(report: HealthReport) -> Facts:
    return (
        ("Kind", report.database),
        ("Tables", f"Version {report.schema}"),
        ("Size", _size(report.database_bytes)),
        *(_place(report.storage) if report.is_sqlite else (("Disk left", UNSEEN),)),
        ("Oldest reader", _oldest_reader(report)),
        *((("Replica", _replica(report.replica)),) if report.replica else ()),
    )


def _replica(replica: ReplicaState) -> str:
    if replica.fault or replica.behind is None:
        return "Not read: see above"
    is_level = replica.behind < timedelta(seconds=1)
    return "Has everything" if is_level else f"{duration_label(replica.behind)} behind"


def _oldest_reader(report: HealthReport) -> str:
    if report.is_sqlite and report.signs.silence:
        return "Unknown: the collector looks for it"
    since = report.reader_since
    if since is None:
        return "None that holds anything back"
    length = f"For {duration_label(report.at - since)}"
    return f"{length}: {report.reader}" if report.reader else length


def _place(storage: Storage) -> Facts:
    free, whole = storage.disk_free, storage.disk_bytes
    left = UNKNOWN
    if free is not None and whole:
        left = f"{size_in_words(free)} of {size_in_words(whole)} ({free / whole:.0%})"
    return (
        ("Log", _size(storage.wal_bytes)),
        ("Disk left", left),
        ("File", storage.file or UNSEEN),
    )


def _size(size: int | None) -> str:
    return UNKNOWN if size is None else size_in_words(size)


def _retention(report: HealthReport, zone: str) -> Facts:
    keeping, oldest = report.keeping, report.oldest_visit_at
    return (
        ("Visits", _kept(keeping.visits)),
        ("Oldest visit", day_and_time_of(oldest, zone) if oldest else "None yet"),
        ("Last run, visits", _ran(report, ChoreName.VISITS, keeping.visits, zone)),
        ("Text of chats", _kept(keeping.chats)),
        ("Last run, chats", _ran(report, ChoreName.CHATS, keeping.chats, zone)),
    )


def _kept(length: timedelta | None) -> str:
    return "Kept for good" if length is None else f"Kept for {plural(length.days, 'day')}"


def _ran(report: HealthReport, name: ChoreName, length: timedelta | None, zone: str) -> str:
    run = report.keeping.chores.get(name)
    if length is None:
        return "Needs none"
    if run is None:
        return NEVER
    more = "" if run.done_at == run.ran_at else "; there is more to delete"
    return f"{day_and_time_of(run.ran_at, zone)}{more}"


def _backups(report: HealthReport, zone: str) -> Facts:
    last = report.last_backup
    if last is None:
        return (("Last backup", _no_backup(report)),)
    return (
        ("Last backup", day_and_time_of(last.made_at, zone)),
        ("Size", size_in_words(last.size)),
        ("File", last.file),
    )


def _no_backup(report: HealthReport) -> str:
    if not report.is_sqlite:
        return ELSEWHERE
    return "Litestream copies it as it changes" if report.storage.has_litestream else NEVER


def _draw_sites(report: HealthReport, zone: str) -> None:
    if not report.sites:
        small_text("There is no site yet.")
        return
    rows = pd.DataFrame(
        {
            "id": [each.site.key for each in report.sites],
            "name": [each.site.name for each in report.sites],
            "last": [
                day_and_time_of(each.last_beacon_at, zone) if each.last_beacon_at else NEVER
                for each in report.sites
            ],
        }
    )
    draw_table(rows, SITE_COLUMNS, key="health sites", name="Sites", layout="list still")


def _draw_drops(report: HealthReport) -> None:
    names = {each.site.id or 0: each.site.name for each in report.sites} | {NO_SITE: "None known"}
    drops = [
        (f"{site_id} {reason}", reason_text(reason), names[site_id], each.hits)
        for site_id, found in report.drops.items()
        for reason, each in found.items()
        if each.hits
    ]
    if not drops:
        small_text("Nothing was left out in the last 24 hours.")
        return
    rows = pd.DataFrame(drops, columns=["id", "words", "site", "hits"])
    draw_table(
        rows.sort_values("hits", ascending=False),
        DROP_COLUMNS,
        key="health drops",
        name="Reports that were not recorded",
        layout="list still",
    )
