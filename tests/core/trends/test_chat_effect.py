"""Purchases of those who were invited, beside those who were not."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection

from core.moment import to_milliseconds
from core.rollups.counting import Count
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import add_to_day, store_state
from core.tables import Conversation, Site
from core.trends import TrendPeriod, chat_effect
from core.visits.calendar import day_period
from tests.helpers.stored_rows import store_row, store_views, store_visits

SITE = Site(
    id=7, key="shop", name="Shop", time_zone="UTC", created_at=datetime(2026, 1, 1, tzinfo=UTC)
)
PERIOD = TrendPeriod(date(2026, 11, 1), date(2026, 11, 1), "UTC")
BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def visit(db: Connection, make_visit: Callable[..., object]) -> Callable[..., None]:
    """visit(id, bought=, chats=): moments in minutes after its begin; chats: (opened_by, began, accepted)."""

    def visit(
        id: str,
        bought: int | None = None,
        chats: tuple[tuple[str, int, int | None], ...] = (),
        is_shown: bool = True,
    ) -> None:
        row = make_visit(id, started_at=BEGAN).model_dump(warnings=False)  # pyright: ignore
        store_visits(db, [row])
        pages = [(0, "/", "")] + ([(bought, "/thanks", "Purchased")] if bought is not None else [])
        store_views(
            db,
            [
                {"site_id": 7, "visit_id": id, "tab": 1, "number": number, "path": path, "page_context": context,
                 "viewed_at": BEGAN + timedelta(minutes=at)}
                for number, (at, path, context) in enumerate(pages, 1)
            ],
        )  # fmt: skip
        for place, (opened_by, began, accepted) in enumerate(chats):
            store_row(
                db,
                Conversation(
                    site_id=7, id=f"{id}{place}", visit_id=id, token=f"{id}{place}", opened_by=opened_by,
                    state="ended", created_at=BEGAN + timedelta(minutes=began), revision=1,
                    shown_at=BEGAN + timedelta(minutes=began) if is_shown else None,
                    accepted_at=None if accepted is None else BEGAN + timedelta(minutes=accepted),
                ),
            )  # fmt: skip

    return visit


def test_visits_are_told_by_what_came_first(db: Connection, visit: Callable[..., None]) -> None:
    visit("plain")
    visit("buyer", bought=5)
    visit("invited", chats=(("rule", 2, None),))
    visit("unseen", chats=(("rule", 2, None),), is_shown=False)
    visit("accepted", bought=9, chats=(("agent", 2, 3),))
    visit("toolate", bought=1, chats=(("agent", 2, 3),))
    visit("own", bought=9, chats=(("visitor", 2, 2), ("agent", 4, 5)))
    told = chat_effect(db, SITE, PERIOD).frame.set_index("group")
    assert told["visits"].to_dict() == {
        "not_invited": 4, "invited": 2, "accepted": 1, "by_visitor": 1,
    }  # fmt: skip
    assert told["purchased"].to_dict() == {
        "not_invited": 2, "invited": 1, "accepted": 1, "by_visitor": 1,
    }  # fmt: skip
    assert told.at["invited", "share"] == 0.5


def test_site_without_visits_has_every_group(db: Connection) -> None:
    told = chat_effect(db, SITE, PERIOD).frame
    assert told["visits"].tolist() == [0, 0, 0, 0] and told["share"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("deleted_until", "visits"),
    [(date(2026, 11, 1), [1, 1, 0, 0]), (date(2026, 11, 2), [0, 0, 0, 0])],
    ids=["a day of two", "both days"],
)
def test_visits_that_are_deleted_are_not_taken_for_uninvited(
    db: Connection, visit: Callable[..., None], deleted_until: date, visits: list[int]
) -> None:
    visit("plain")
    visit("invited", chats=(("rule", 2, None),))
    both_days = TrendPeriod(date(2026, 10, 31), date(2026, 11, 1), "UTC")
    since = day_period(deleted_until, "UTC").from_at
    store_state(db, 7, time_zone="UTC", thinned_until=since, thinned_day=20261031)
    moment = str(to_milliseconds(both_days.bounds.from_at))
    add_to_day(db, 7, both_days.first, [Count(Dimension.SLOT.value, moment, 5, 9, 1, 99)])
    told = chat_effect(db, SITE, both_days)
    assert told.frame["visits"].tolist() == visits
    assert told.rows_since == since


def test_period_of_stored_visits_alone_says_nothing_of_deleted_ones(db: Connection) -> None:
    store_state(db, 7, time_zone="UTC", thinned_until=PERIOD.bounds.from_at, thinned_day=20261031)
    assert chat_effect(db, SITE, PERIOD).rows_since is None
