"""The steps of a site's funnel: those of a shop, until its owner chooses others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.enrich.page_context import PageContext


class FunnelStep(NamedTuple):
    """Pages that a visit reaches: those with this context or, with a pattern, those whose path fits it
    (as a `ContextRule`'s does)."""

    label: str
    page_context: str = ""
    pattern: str = ""


DEFAULT_STEPS: Sequence[FunnelStep] = tuple(
    FunnelStep(context.value, context.value)
    for context in (
        PageContext.PRODUCT,
        PageContext.CART,
        PageContext.IN_CHECKOUT,
        PageContext.PURCHASED,
    )
)
