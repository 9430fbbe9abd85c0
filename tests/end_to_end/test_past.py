"""What the page showed at a moment is what is shown of that moment later, but for what had not arrived yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from core.database import open_database, reading
from core.frames import Picture, picture_at
from core.moment import from_milliseconds
from tests.helpers.model import CONTEXT_ORDER
from tests.helpers.past_story import Kept, PastStory

STEPS = 300
ACTIVE_SECONDS = 60
SHOWN = (
    *("id", "status", "in_view", "dim", "path", "title", "page_context", "source", "source_kind"),
    *("browser", "os", "device", "country", "page_count", "time_on_site_label", "activity_label"),
    *("time_on_site", "visitor_name", "who", "visit_number", "cart_value", "cart_currency"),
    *("conversation", "conversation_id"),
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "database_url, seed",
    [("sqlite", 0), ("sqlite", 1), ("postgres", 2)],
    indirect=["database_url"],
)
def test_every_past_moment_is_shown_as_it_was(engine: Engine, seed: int) -> None:
    story = PastStory(engine, seed, is_late=False)
    story.run(STEPS)

    for kept in story.kept:
        assert shown(past(story, kept)) == shown(kept.picture), kept.at


@pytest.mark.parametrize(
    "database_url, seed",
    [("sqlite", 3), ("sqlite", 4), ("postgres", 5)],
    indirect=["database_url"],
)
def test_what_came_late_is_shown_where_it_happened_and_touches_nothing_else(
    engine: Engine, seed: int
) -> None:
    story = PastStory(engine, seed, is_late=True)
    story.run(STEPS)

    untouched = 0
    for kept in story.kept:
        late = story.late_visits(kept.at)
        picture = past(story, kept)
        assert rows_of(picture, late) == rows_of(kept.picture, late), kept.at
        if not late:
            untouched += 1
            assert shown(picture) == shown(kept.picture)
    assert untouched > len(story.kept) / 10


def past(story: PastStory, kept: Kept) -> Picture:
    now = from_milliseconds(story.now + 1)
    with reading(story.engine) as db:
        return picture_at(db, [story.site], from_milliseconds(kept.at), now)


def shown(picture: Picture) -> dict[str, Any]:
    """All that the page shows of it."""
    return {
        "rows": rows_of(picture, set()),
        "cards": vars(picture.cards),
        "days": picture.days.to_dict("records"),
        "chats": dict(picture.open_chats),
        "shares": {
            name: frame.to_dict("records") for name, frame in vars(picture.breakdowns).items()
        },
    }


def rows_of(picture: Picture, without: set[str]) -> list[dict[str, Any]]:
    """The rows in the default order, in which those who are Active go by their ids."""
    visitors = picture.visitors
    rows = [
        (place(row), {name: row[name] for name in SHOWN})
        for row in visitors.to_dict("records")
        if row["id"] not in without
    ]
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def place(row: dict[Any, Any]) -> tuple[Any, ...]:
    is_active = row["idle_seconds"] < ACTIVE_SECONDS
    return (
        row["dim"],
        CONTEXT_ORDER.index(row["page_context"]),
        not row["in_view"],
        0 if is_active else -row["last_activity_at"].timestamp(),
        row["id"],
    )
