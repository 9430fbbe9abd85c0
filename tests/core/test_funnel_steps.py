"""The steps of a funnel, as an owner writes them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from core.funnel_steps import (
    DEFAULT_STEPS,
    MOST_STEPS,
    FunnelStep,
    check_funnel_steps,
    read_funnel_steps,
)
from core.sites import SiteError, add_site, change_site

OWN = [FunnelStep("Sale", pattern="/sale/*"), FunnelStep("", page_context="Purchased")]


def test_steps_are_kept_with_the_site(db: Connection) -> None:
    site = add_site(db, name="Shop", key="shop", now=datetime(2026, 11, 1, tzinfo=UTC))
    assert read_funnel_steps(site.funnel_steps) == DEFAULT_STEPS
    site = change_site(db, "shop", funnel_steps=OWN)
    assert read_funnel_steps(site.funnel_steps) == [OWN[0], FunnelStep("Purchased", "Purchased")]
    site = change_site(db, "shop", funnel_steps=DEFAULT_STEPS)
    assert site.funnel_steps == []


def test_steps_that_cannot_be_used_are_refused_in_plain_words(db: Connection) -> None:
    add_site(db, name="Shop", key="shop", now=datetime(2026, 11, 1, tzinfo=UTC))
    with pytest.raises(SiteError, match="Begin with a slash"):
        change_site(db, "shop", funnel_steps=[*OWN, FunnelStep("Sale", pattern="sale")])


@pytest.mark.parametrize(
    "steps",
    [
        OWN[:1],
        [OWN[0]] * (MOST_STEPS + 1),
        [*OWN, FunnelStep("Nothing")],
        [*OWN, FunnelStep("Unknown", page_context="Wishlist")],
        [*OWN, FunnelStep("Long", pattern="/" + "x" * 300)],
    ],
)
def test_other_steps_are_refused(steps: list[FunnelStep]) -> None:
    with pytest.raises(ValueError, match=r"steps|pages|cannot be used"):
        check_funnel_steps(steps)
