"""What may be wrong with the replica that pages read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from core.health.report import HealthReport
from core.replica import ReplicaFault
from core.visits.labels import duration_label

FAR_BEHIND = timedelta(seconds=10)
"""From which on it is said (own: a busy replica is seconds behind for a moment, while a large change is replayed)."""

_TEXTS = {
    ReplicaFault.AWAY: "The replica does not answer, so pages read the primary.",
    ReplicaFault.NO_REPLICA: "The replica does not follow this database, so pages read the primary.",
    ReplicaFault.OTHER_SCHEMA: "The replica's tables are not of this version, so pages read the primary.",
}


def replica_is_unread(fault: ReplicaFault) -> Callable[[HealthReport], str | None]:
    """What says that the replica has this fault."""

    def find(report: HealthReport) -> str | None:
        replica = report.replica
        return _TEXTS[fault] if replica is not None and replica.fault is fault else None

    return find


def replica_is_behind(report: HealthReport) -> str | None:
    """It answers, and has not got for long what the primary has."""
    behind = report.replica and report.replica.behind
    if behind is None or behind <= FAR_BEHIND:
        return None
    return f"The replica is {duration_label(behind)} behind, so pages read the primary."
