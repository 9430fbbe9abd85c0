"""Whom to talk to first: the default order of the live list. The database applies it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, case, cast
from sqlmodel import col

from core.enrich.page_context import PageContext
from core.tables import Visit
from core.visits.liveness import is_idle, is_in_view

CONTEXT_ORDER = (
    PageContext.IN_CHECKOUT,
    PageContext.CART,
    PageContext.PRODUCT,
    PageContext.COLLECTION,
    PageContext.SEARCH,
    PageContext.NONE,
    PageContext.PURCHASED,
)
"""Nearest to buying first; nobody invites a buyer who has just paid (reference and own)."""

_ID: Any = String().with_variant(String(collation="C"), "postgresql")
"""An id is ordered by its characters' numbers, as SQLite does, and not by the words of a language."""


def default_order(now: Any) -> tuple[Any, ...]:
    """What SQL orders visits by at `now`: idle ones last, then by context, those in view first, then the
    freshest activity; equal ones by their ids. A context of another version counts as none."""
    places = {context.value: place for place, context in enumerate(CONTEXT_ORDER)}
    return (
        is_idle(Visit, now),
        case(places, value=col(Visit.page_context), else_=places[PageContext.NONE.value]),
        is_in_view(Visit, now).desc(),
        col(Visit.last_activity_at).desc(),
        cast(col(Visit.id), _ID),
        col(Visit.site_id),
    )
