"""One batch of hits, committed together."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Engine

from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from collector.writing.visit_cache import VisitCache
from collector.writing.visit_limit import UNLIMITED, VisitAllowance
from core.database import writing
from core.locks import take_sites
from core.reasons import Reason, Refused
from core.visits.hit import Hit


def commit_hits(
    engine: Engine,
    statements: Statements,
    cache: VisitCache,
    hits: Sequence[Hit],
    allowance: VisitAllowance = UNLIMITED,
    within: float = 0,
) -> Sequence[Struct | None]:
    """One result for each hit, in one transaction that holds the locks of their sites.

    None: its site is busy for longer than `within` seconds, and nothing was done.

    Whatever it raises, `cache` holds nothing then: nothing of what was in memory may have been stored.
    """
    with cache.lent(), writing(engine) as connection:
        taken = take_sites(connection, {hit.site_id for hit in hits}, within)
        now = max(hit.received_at for hit in hits)
        batch = VisitBatch(statements, connection, now, allowance, cache)
        batch.load([hit for hit in hits if hit.site_id in taken])
        results = [_record(batch, hit) if hit.site_id in taken else None for hit in hits]
        batch.store()
    return results


def _record(batch: VisitBatch, hit: Hit) -> Struct:
    return batch.record(hit) if batch.has_site(hit.site_id) else Refused(Reason.UNKNOWN_SITE)
