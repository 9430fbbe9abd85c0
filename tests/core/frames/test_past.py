"""What the pages showed at a moment is what is shown of that moment later, but for what had not arrived yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from collector.writing.visits_ahead import set_back_visits
from core.database import reading, writing
from core.frames import Journey, Picture, online_by_minute, picture_at, visitor_at
from core.moment import from_milliseconds, to_milliseconds
from core.visitor_data import forget_visits_of
from core.visits.past_moments import known_since, next_event_after, previous_event_before
from tests.helpers.model import CONTEXT_ORDER
from tests.helpers.past_story import START, Kept, PastStory

STEPS = 160
LONG_STEPS = 500
ACTIVE_SECONDS = 60
SHOWN = (
    *("id", "status", "in_view", "dim", "path", "title", "page_context", "source", "source_kind"),
    *("browser", "os", "device", "country", "page_count", "time_on_site_label", "activity_label"),
    *("time_on_site", "visitor_name", "who", "visit_number", "cart_value", "cart_currency"),
    *("conversation", "conversation_id"),
)
TICK = timedelta(milliseconds=1)
HOUR = 3_600_000
_CHATS = """
SELECT visit.started_at + from_after FROM visit JOIN visit_span_row AS span
ON span.site_id = visit.site_id AND span.visit = visit.number
WHERE visit.site_id = :site AND span.kind = 2"""


@pytest.fixture(scope="module")
def story(module_database: Engine) -> PastStory:
    """One in which everything arrives at once."""
    return told(module_database, 1, is_late=False)


@pytest.fixture(scope="module")
def late_story(module_database: Engine) -> PastStory:
    return told(module_database, 2, is_late=True)


def test_every_past_moment_is_shown_as_it_was(story: PastStory) -> None:
    assert_shown_again(story)


def test_what_came_late_is_shown_where_it_happened_and_touches_nothing_else(
    late_story: PastStory,
) -> None:
    assert_shown_again(late_story)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 18))
def test_many_past_moments_are_shown_as_they_were(module_database: Engine, seed: int) -> None:
    assert_shown_again(told(module_database, seed, is_late=seed % 2 == 1, steps=LONG_STEPS))


def test_page_of_a_visit_is_shown_as_it_was(story: PastStory) -> None:
    compared = 0
    for kept in story.kept:
        if (was := kept.journey) is None:
            continue
        with reading(story.engine) as db:
            found = visitor_at(db, story.site, was.visit.id, kept.moment, later(story))
        assert found is not None
        assert journey_of(found) == journey_of(was), kept.moment
        compared += 1
    assert compared > len(story.kept) / 4


def test_visit_that_had_not_begun_has_no_page(story: PastStory) -> None:
    with reading(story.engine) as db:
        rows = db.execute(text("SELECT id, started_at FROM visit LIMIT 1")).all()
        for visit_id, started_at in rows:
            before = from_milliseconds(started_at) - TICK
            assert visitor_at(db, story.site, visit_id, before, later(story)) is None


def test_a_moment_has_as_many_first_rows_as_are_asked_for(story: PastStory) -> None:
    moment = max(story.kept, key=lambda kept: kept.picture.cards.online).moment
    with reading(story.engine) as db:
        whole = picture_at(db, [story.site], moment, later(story))
        part = picture_at(db, [story.site], moment, later(story), 2)
    assert part.visitors["id"].tolist() == whole.visitors["id"].tolist()[:2]
    assert (part.cards, part.is_whole, whole.is_whole) == (whole.cards, False, True)


def test_sites_together_are_shown_as_one(story: PastStory, late_story: PastStory) -> None:
    moment = late_story.kept[len(late_story.kept) // 2].moment
    sites = [story.site, late_story.site]
    now = max(later(story), later(late_story))
    with reading(story.engine) as db:
        together = picture_at(db, sites, moment, now)
        apart = [picture_at(db, [site], moment, now) for site in sites]
    cards = [vars(each.cards) for each in apart]
    assert vars(together.cards) == {name: sum(each[name] for each in cards) for name in cards[0]}
    seen = {(row.site, row.id) for each in apart for row in each.visitors.itertuples()}
    assert {(row.site, row.id) for row in together.visitors.itertuples()} == seen
    assert dict(together.open_chats) == {**apart[0].open_chats, **apart[1].open_chats}


def test_online_of_each_minute_is_that_of_its_picture(late_story: PastStory) -> None:
    since = from_milliseconds(START) - timedelta(hours=1)
    now = later(late_story)
    with reading(late_story.engine) as db:
        minutes = online_by_minute(db, [late_story.site], since, now + timedelta(hours=1), now)
        assert minutes["minute"].iloc[-1] <= now
        assert minutes["minute"].diff().dropna().eq(timedelta(minutes=1)).all()
        for minute, online, chatting in minutes[:: len(minutes) // 40].itertuples(index=False):
            cards = picture_at(db, [late_story.site], minute.to_pydatetime(), now).cards
            assert (online, chatting) == (cards.online, cards.chatting), minute
    assert minutes["online"].max() > 1
    assert minutes["chatting"].max() > 0


def test_steps_go_from_each_start_of_a_visit_or_chat_to_the_next(late_story: PastStory) -> None:
    site_id = late_story.site.id or 0
    now = later(late_story)
    with reading(late_story.engine) as db:
        starts = text("SELECT started_at FROM visit WHERE site_id = :site")
        begun = [db.execute(each, {"site": site_id}).scalars() for each in (starts, text(_CHATS))]
        events = [from_milliseconds(at) for at in sorted({at for part in begun for at in part})]
        there = [next_event_after(db, [site_id], at, now) for at in (events[0] - TICK, *events)]
        back = [previous_event_before(db, [site_id], at) for at in (*events, now)]
    assert there == [*events, None]
    assert back == [None, *events]


def test_past_is_known_since_the_first_visit_or_as_long_as_visits_are_kept(
    story: PastStory,
) -> None:
    site_id, now = story.site.id or 0, later(story)
    with reading(story.engine) as db:
        first = known_since(db, [site_id], timedelta(0), now)
        assert first is not None
        assert next_event_after(db, [site_id], first - TICK, now) == first
        assert known_since(db, [site_id], timedelta(days=90), now) == first
        kept_for = timedelta(hours=1)
        assert known_since(db, [site_id], kept_for, now) == now - timedelta(minutes=30)
        assert known_since(db, [site_id + 10], kept_for, now) is None


def test_moments_after_a_clock_has_jumped_back_are_shown_as_they_were(
    module_database: Engine,
) -> None:
    story = PastStory(module_database, 3, is_late=False)
    story.run(40)
    story.now -= HOUR
    set_back_visits(story.engine, story.now)
    story.kept.clear()
    story.run(60)

    # Not of Today: visits are counted where their beginning was said to be.
    for kept in story.kept:
        assert rows_of(past(story, kept), set()) == rows_of(kept.picture, set()), kept.moment


def test_forgotten_visitor_is_gone_from_the_past(module_database: Engine) -> None:
    story = PastStory(module_database, 4, is_late=False)
    story.run(40)
    kept = max(story.kept, key=lambda kept: kept.picture.cards.online)
    forgotten = kept.picture.visitors["id"].iloc[0]
    with writing(story.engine) as db:
        forget_visits_of(db, story.site.id or 0, [forgotten], story.moment)
    assert rows_of(past(story, kept), set()) == rows_of(kept.picture, {forgotten})


def told(engine: Engine, seed: int, *, is_late: bool, steps: int = STEPS) -> PastStory:
    story = PastStory(engine, seed, is_late=is_late)
    story.run(steps)
    return story


def assert_shown_again(story: PastStory) -> None:
    """All numbers of moments that nothing came late for, and of the others all rows that are not touched."""
    whole = 0
    for kept in story.kept:
        picture = past(story, kept)
        late = story.late_visits(kept.moment) & {
            *picture.visitors["id"],
            *kept.picture.visitors["id"],
        }
        ids = [row["id"] for row in rows_of(picture, set())]
        assert picture.visitors["id"].tolist() == ids, kept.moment
        assert rows_of(picture, late) == rows_of(kept.picture, late), kept.moment
        if not late:
            whole += 1
            assert shown(picture) == shown(kept.picture), kept.moment
    assert whole > len(story.kept) / 5


def later(story: PastStory) -> Any:
    return story.moment + TICK


def past(story: PastStory, kept: Kept) -> Picture:
    with reading(story.engine) as db:
        return picture_at(db, [story.site], kept.moment, later(story))


def shown(picture: Picture) -> dict[str, Any]:
    """All that the page shows of it."""
    return {
        "rows": rows_of(picture, set()),
        "cards": vars(picture.cards),
        "days": picture.days.to_dict("records"),
        "chats": dict(picture.open_chats),
        "shares": {name: [*groups] for name, groups in picture.breakdowns.groups.items()},
    }


def rows_of(picture: Picture, without: set[str]) -> list[dict[str, Any]]:
    """The rows in the default order, in which those who are Active go by their ids."""
    rows = [
        (place(row), {name: row[name] for name in SHOWN})
        for row in picture.visitors.to_dict("records")
        if row["id"] not in without
    ]
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def place(row: dict[Any, Any]) -> tuple[Any, ...]:
    is_active = row["idle_seconds"] < ACTIVE_SECONDS
    return (
        row["dim"],
        CONTEXT_ORDER.index(row["page_context"]),
        not row["in_view"],
        float("-inf") if is_active else -to_milliseconds(row["last_activity_at"].to_pydatetime()),
        row["id"],
    )


def journey_of(journey: Journey) -> dict[str, Any]:
    """What the visitor's page shows, but the titles of the pages before, which may have been told later."""
    visit = journey.visit
    return {
        "listed": {name: journey.listed[name] for name in SHOWN},
        "is_live": journey.is_live,
        "pages": journey.page_views[["viewed_at", "seconds", "in_view"]].to_dict("records"),
        "page": (visit.current_path, visit.current_title, visit.page_context, visit.page_count),
        "told": (visit.attributes, visit.cart_value, visit.cart_currency, visit.country),
        "follows": journey.follows and journey.follows.id,
        "followed_by": [each.id for each in journey.followed_by],
    }
