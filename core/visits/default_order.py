"""Whom to talk to first: the default order of the live list, as a sort key on its columns."""

from core.enrich.page_context import PageContext

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

DEFAULT_ORDER = {
    "dim": True,
    "page_context": True,
    "in_view": False,
    "last_activity_at": False,
    "id": True,
}
"""The columns by importance, and whether each ascends; page_context ascends in CONTEXT_ORDER."""
