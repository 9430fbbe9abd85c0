"""One batch of hits, committed together."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Engine

from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from collector.writing.visit_cache import VisitCache
from collector.writing.visit_limit import UNLIMITED, VisitAllowance
from core.database import lock_visits, writing
from core.reasons import Reason, Refused
from core.visits.hit import Hit


def commit_hits(
    engine: Engine,
    statements: Statements,
    cache: VisitCache,
    hits: Sequence[Hit],
    allowance: VisitAllowance = UNLIMITED,
) -> Sequence[Struct]:
    """One result for each hit, in one transaction that holds the lock of all writers.

    Whatever it raises, `cache` holds nothing then: nothing of what was in memory may have been stored.
    """
    with cache.lent(), writing(engine) as connection:
        lock_visits(connection)
        now = max(hit.received_at for hit in hits)
        batch = VisitBatch(statements, connection, now, allowance, cache)
        batch.load(hits)
        results = [
            batch.record(hit) if batch.has_site(hit.site_id) else Refused(Reason.UNKNOWN_SITE)
            for hit in hits
        ]
        batch.store()
    return results
