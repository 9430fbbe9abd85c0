"""Every warning of the Health page, /metrics and /readyz: what finds it, and its cure. docs/health.md lists them."""

from __future__ import annotations

from collections.abc import Sequence

from core.health import collector_rules, database_rules, replica_rules, site_rules
from core.health.report import HealthReport
from core.health.storage import Storage
from core.health.warning import HealthRule, HealthWarning, Severity
from core.replica import ReplicaFault

STORAGE_RULES: Sequence[HealthRule[Storage]] = (
    HealthRule(
        "database_damaged",
        Severity.BAD,
        database_rules.file_is_damaged,
        "Look whether the disk fails, then restore a backup: python -m core restore FILE. The damaged file is kept "
        "beside it, and the collector goes on by itself. Until then nothing is recorded; visitors' scripts keep "
        "for a while what they have.",
    ),
    HealthRule(
        "database_missing",
        Severity.BAD,
        database_rules.file_is_missing,
        "If it was moved, move it back: the collector goes on by itself. If it was deleted while the collector "
        "ran, that has saved what it held beside its place, as a file whose name has .rescued-: python -m core "
        "restore that file. Else restore a backup.",
    ),
    HealthRule(
        "disk_nearly_full",
        Severity.BAD,
        database_rules.disk_is_nearly_full,
        "Delete what you need not on that disk, or move the database to a larger one. When it is full, visitors "
        "are no longer recorded.",
    ),
    HealthRule(
        "no_room_for_copy",
        Severity.WARN,
        database_rules.copy_has_no_room,
        "Make room on that disk before you install a new version, which copies the database first.",
    ),
    HealthRule(
        "database_open_to_others",
        Severity.WARN,
        database_rules.is_open_to_others,
        "Run chmod 600 on it and on the files beside it whose names begin alike.",
    ),
)
"""Those that need no database: they are told also while it does not answer."""

REPORT_RULES: Sequence[HealthRule[HealthReport]] = (
    HealthRule(
        "collector_silent",
        Severity.BAD,
        collector_rules.is_silent,
        "Start it where Visitor Monitor is installed (python -m collector, or its service). Its log says why "
        "it stopped.",
    ),
    HealthRule(
        "collector_never_started",
        Severity.BAD,
        collector_rules.has_never_started,
        "Start it with the same MONITOR_DATABASE_URL as the dashboard: python -m collector, or its service.",
    ),
    HealthRule(
        "proxy_untrusted",
        Severity.BAD,
        collector_rules.proxy_is_untrusted,
        "Countries are wrong, and all visitors share one limit. Set MONITOR_TRUSTED_PROXIES to the proxy's "
        "address (127.0.0.1 if it runs on the same machine) and restart the collector.",
    ),
    HealthRule(
        "country_file_unusable",
        Severity.WARN,
        collector_rules.country_file_is_unusable,
        "Put a whole mmdb file at the path of MONITOR_GEOIP_DATABASE: it is read within seconds. Without one the "
        "collector does not start again.",
    ),
    HealthRule(
        "site_silent",
        Severity.BAD,
        site_rules.sites_are_silent,
        "Open a page of the website: is its line there, and does the browser's console name an error? If the "
        "website is no longer in use, switch its tracking off under Sites.",
    ),
    HealthRule(
        "queue_deep",
        Severity.WARN,
        collector_rules.queue_is_deep,
        "If it stays, the disk or the database server is too slow: look for what else uses it. Scripts send "
        "again what was refused, so that little is lost.",
    ),
    HealthRule(
        "commits_slow",
        Severity.WARN,
        collector_rules.commits_are_slow,
        "If it stays, look for what else uses the disk or the database server: a backup, another program, a "
        "disk that fails.",
    ),
    HealthRule(
        "versions_differ",
        Severity.WARN,
        collector_rules.versions_differ,
        "Restart the collector and the dashboard, both from the new version.",
    ),
    HealthRule(
        "clocks_differ",
        Severity.WARN,
        collector_rules.clocks_differ,
        "Have both machines set their clocks by the network (timedatectl set-ntp true).",
    ),
    HealthRule(
        "reader_long",
        Severity.WARN,
        database_rules.reader_is_long,
        "End it: a tool that has the database open, a copy that hangs, or a dashboard that hangs (restart "
        "it). Where it is not named here, fuser names it for SQLite's file, and pg_stat_activity on Postgres.",
    ),
    HealthRule(
        "log_large",
        Severity.WARN,
        database_rules.log_is_large,
        "End what reads the database for long (see Oldest reader below). It gets small when the collector "
        "and the dashboard were both stopped.",
    ),
    HealthRule(
        ReplicaFault.AWAY,
        Severity.WARN,
        replica_rules.replica_is_unread(ReplicaFault.AWAY),
        "See that its server runs, and that the address and the password in MONITOR_READ_DATABASE_URL are right. "
        "It is read again by itself.",
    ),
    HealthRule(
        ReplicaFault.NO_REPLICA,
        Severity.WARN,
        replica_rules.replica_is_unread(ReplicaFault.NO_REPLICA),
        "Write the address of a streaming replica of the same server, with the same name of the database, in "
        "MONITOR_READ_DATABASE_URL. One that was promoted is none any more: make it anew.",
    ),
    HealthRule(
        ReplicaFault.OTHER_SCHEMA,
        Severity.WARN,
        replica_rules.replica_is_unread(ReplicaFault.OTHER_SCHEMA),
        "After an upgrade wait until it has followed. If it stays, see on the replica's server why it does not "
        "stream from the primary, and restart the dashboard from the new version.",
    ),
    HealthRule(
        "replica_behind",
        Severity.WARN,
        replica_rules.replica_is_behind,
        "See on the replica's server whether replay is paused (pg_wal_replay_resume), its disk is too slow, or a "
        "long question holds it up; and pg_stat_replication on the primary. It is read again by itself.",
    ),
    HealthRule(
        "retention_not_run",
        Severity.WARN,
        database_rules.retention_has_not_run,
        "See the collector's log for database_fails, and restart the collector.",
    ),
    HealthRule(
        "retention_behind",
        Severity.WARN,
        database_rules.retention_is_behind,
        "After the days were shortened it takes hours, and goes on by itself. Else see the collector's log.",
    ),
    HealthRule(
        "backup_missing",
        Severity.WARN,
        database_rules.backup_is_missing,
        "Make one: python -m core backup FILE, to another disk, and have it made every night.",
    ),
    HealthRule(
        "backup_old",
        Severity.WARN,
        database_rules.backup_is_old,
        "See why none was made since: python -m core backup FILE says what is wrong.",
    ),
    HealthRule(
        "notices_given_up",
        Severity.WARN,
        site_rules.notices_are_given_up,
        "See under Sites, Notices, what is wrong with the address, and press Test there. The warning goes once the "
        "address is changed for another, or after a week.",
    ),
    HealthRule(
        "answers_given_up",
        Severity.WARN,
        site_rules.answers_are_given_up,
        "Chats says at each of these left messages why: press Try again there once it is mended, or answer in "
        "another way and tick the message off. Under Sites, Answers by e-mail, a test shows whether the server works.",
    ),
    HealthRule(
        "not_https",
        Severity.WARN,
        site_rules.is_not_https,
        "Put a proxy with a certificate before it, and write https in MONITOR_PUBLIC_URL and "
        "MONITOR_DASHBOARD_URL. Pages on https load no script over http.",
    ),
    *(
        HealthRule(
            f"dropped_{reason}",
            Severity.WARN,
            site_rules.reports_refused(reason),
            reason.owner_text,
        )
        for reason in site_rules.CURABLE
    ),
)

CODES = tuple(rule.code for rule in (*STORAGE_RULES, *REPORT_RULES))
"""Of every warning that there can be."""


def find_warnings(report: HealthReport) -> list[HealthWarning]:
    """What is wrong, the worst first."""
    found = [*storage_warnings(report.storage), *(rule.apply(report) for rule in REPORT_RULES)]
    return sorted(filter(None, found), key=lambda each: each.severity is not Severity.BAD)


def storage_warnings(storage: Storage) -> list[HealthWarning]:
    """What is wrong with the place of the database, the worst first."""
    return [found for rule in STORAGE_RULES if (found := rule.apply(storage))]
