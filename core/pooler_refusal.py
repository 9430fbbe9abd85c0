"""What a connection pooler refuses, with the cure: its words reach us as those of the database."""

from __future__ import annotations

_CURES = {
    "statement pooling mode": "set pool_mode = transaction in PgBouncer, for all or for this database",
    "unsupported startup parameter": "take options out of MONITOR_DATABASE_URL, unset PGOPTIONS, and restart",
    "max_client_conn": "raise max_client_conn in PgBouncer",
    "query_wait_timeout": "raise default_pool_size in PgBouncer, or end what holds its connections",
}
"""By a part of what PgBouncer says (1.18 and 1.24)."""


def pooler_cure(said: str) -> str:
    """What to do about it, without a full stop; "" when a pooler has not said this."""
    return next((cure for words, cure in _CURES.items() if words in said), "")
