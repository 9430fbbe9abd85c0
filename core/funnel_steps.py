"""The steps of a site's funnel: those of a shop, until its owner chooses others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.enrich.page_context import PageContext, make_rule
from core.enrich.text import clean

FEWEST_STEPS, MOST_STEPS = 2, 8
LONGEST_STEP_LABEL = 60


class FunnelStep(NamedTuple):
    """Pages that a visit reaches: those whose path fits the pattern (as a `ContextRule`'s does), or without one
    those that have the context."""

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


def read_funnel_steps(stored: Sequence[Mapping[str, str]]) -> Sequence[FunnelStep]:
    """The steps as `site`.`funnel_steps` has them; DEFAULT_STEPS where it has none."""
    steps = [
        FunnelStep(step["label"], step.get("page_context", ""), step.get("pattern", ""))
        for step in stored
    ]
    return steps or DEFAULT_STEPS


def check_funnel_steps(steps: Sequence[FunnelStep]) -> list[dict[str, str]]:
    """The steps as they are stored; of none, or of the default ones, an empty list.

    Raises ValueError, its text in plain words for the owner.
    """
    if not steps or tuple(steps) == tuple(DEFAULT_STEPS):
        return []
    if not FEWEST_STEPS <= len(steps) <= MOST_STEPS:
        raise ValueError(
            f"A funnel has {FEWEST_STEPS} to {MOST_STEPS} steps, and this one {len(steps)}: "
            "add or remove some."
        )
    return [_check_step(step)._asdict() for step in steps]


def _check_step(step: FunnelStep) -> FunnelStep:
    label = clean(step.label, LONGEST_STEP_LABEL)
    if not step.pattern:
        if step.page_context not in set(PageContext) - {PageContext.NONE}:
            raise ValueError(
                f"The step '{label}' has no pages: choose a context, or write a path such as /sale/*."
            )
        return FunnelStep(label or step.page_context, step.page_context)
    try:
        pattern = make_rule(step.pattern, PageContext.PRODUCT.value).pattern
    except ValueError as fault:
        raise ValueError(f"The path '{step.pattern}' cannot be used. {fault}.") from None
    return FunnelStep(label or clean(pattern, LONGEST_STEP_LABEL), "", pattern)
