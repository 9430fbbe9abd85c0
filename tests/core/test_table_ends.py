"""What was counted long ago goes, some rows at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlmodel import col

from core.sites import add_site
from core.table_ends import counts_kept_for, forget_old_counts
from core.tables import CollectorWarning, DropCount, SiteOrigin
from tests.helpers.chat_rows import INSTANT, NOW

DAY = timedelta(days=1)
OLD = NOW - 90 * DAY


@pytest.mark.parametrize(
    ("retention", "kept"),
    [(0, 400), (1, 30), (30, 30), (31, 31), (90, 90), (400, 400), (401, 400), (36_500, 400)],
)
def test_counts_are_kept_as_long_as_visits_within_bounds(retention, kept):
    assert counts_kept_for(retention * DAY) == kept * DAY


@pytest.mark.parametrize("of_site", [True, False])
def test_counts_go_when_they_were_last_seen_too_long_ago(db, of_site):
    site = (add_site(db, name="Shop", key="shop", now=NOW).id or 0) if of_site else 0
    for seen_at, name in ((OLD - INSTANT, "gone"), (OLD, "kept")):
        seen = {"first_seen_at": OLD - 5 * DAY, "last_seen_at": seen_at}
        add(db, DropCount(site_id=site, starts_at=seen_at, reason=name, hits=1))
        add(db, CollectorWarning(name=name, **seen))
        if of_site:
            add(db, SiteOrigin(site_id=site, host=name, hits=1, **seen))

    forget_old_counts(db, NOW, 90 * DAY, 100)

    assert db.execute(select(col(DropCount.reason))).scalars().all() == ["kept"]
    assert db.execute(select(col(CollectorWarning.name))).scalars().all() == ["kept"]
    assert db.execute(select(col(SiteOrigin.host))).scalars().all() == (["kept"] if of_site else [])


def test_one_transaction_deletes_only_so_many_rows(db):
    for number in range(25):
        add(db, DropCount(site_id=0, starts_at=OLD - number * DAY - DAY, reason="bot", hits=1))

    gone = [forget_old_counts(db, NOW, 90 * DAY, 10) for _ in range(3)]

    assert gone == [10, 10, 5]
    assert db.execute(select(func.count()).select_from(DropCount)).scalar_one() == 0


def add(db, row):
    db.execute(insert(type(row)).values(**row.model_dump()))
