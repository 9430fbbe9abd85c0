"""What the database counts and orders for a picture is what the frame of all its rows says."""

import random
from collections import Counter
from datetime import timedelta

import pandas as pd
import pytest

from core.chat.states import ConversationState
from core.database import reading
from core.enrich.country import country_name, flag
from core.enrich.page_context import PageContext
from core.frames import OTHER, OTHER_LABEL, UNKNOWN, picture_at
from core.tables import Conversation, Site

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LISTED = 50


@pytest.fixture
def sites(site, now):
    """The site 7 and the site 8."""
    return [site, Site(id=8, key="pots", name="Pots", created_at=now)]


@pytest.fixture
def draw(database, sites, now):
    """draw(most_rows): the picture of both sites."""

    def draw(most_rows=None):
        with reading(database) as connection:
            return picture_at(connection, sites, now, now, most_rows)

    return draw


@pytest.fixture(params=range(3))
def random_visits(request, store, make_visit, now):
    """300 visits of three sites, of which some have ended, and conversations with some of them."""
    chance = random.Random(request.param)

    def visit(number):
        return make_visit(
            f"visit{number}",
            site_id=chance.choice([7, 7, 8, 9]),
            started_at=now - chance.randrange(60, 7_200) * SECOND,
            last_seen_at=now - chance.randrange(120) * SECOND,
            last_activity_at=now - chance.randrange(-60, 2_400) * SECOND,
            in_view_until=now + chance.randrange(-2, 3) * SECOND,
            page_context=chance.choice([*PageContext, "Wishlist"]),
            source=chance.choice(["Direct", "Other", *(f"source {each}" for each in range(70))]),
            browser=chance.choice(["", "Other", *"abcdef"]),
            os=chance.choice(["", "Other", "iOS", "Linux"]),
            country=chance.choice(["", "DE", "FR", "GB", "US", "IN", "NP", "NZ"]),
            chat_source=chance.choice(["", "third_party", "built_in"]),
            chat_message_at=chance.choice([None, now - chance.randrange(2_400) * SECOND]),
        )

    visits = [visit(number) for number in range(300)]
    talks = [
        Conversation(
            id=f"talk{number}",
            site_id=each.site_id,
            visit_id=each.id,
            opened_by="visitor",
            token=f"token {number}",
            state=chance.choice(["open", "queued", "delivered", "shown"]),
            created_at=now,
            revision=1,
        )
        for number, each in enumerate(visits)
        if number % 7 == 0
    ]
    store(*visits, *talks)


def shares_of(visitors: pd.DataFrame, by: str) -> list[dict[str, object]]:
    """The rows of a breakdown, counted here, row by row."""
    values = visitors[by].astype("str").tolist()
    is_country = by == "country"

    def row(value, visits, folded=False, label=None):
        return {
            "label": label or (country_name(value) if is_country else value),
            "flag": flag(value) if is_country else "",
            "code": value if is_country else "",
            "value": value,
            "visits": visits,
            "share": visits / len(values),
            "folded": folded,
        }

    groups = sorted(
        (row(value, visits) for value, visits in Counter(values).items()),
        key=lambda group: (-group["visits"], group["label"]),
    )
    rest = [group for group in groups[4:] if group["label"] != UNKNOWN]
    number = sum(group["visits"] for group in rest)
    other = {**row("", number, label=OTHER_LABEL), "value": OTHER, "flag": "", "code": ""}
    return [
        *groups[:4],
        *([other] if rest else []),
        *(group for group in groups[4:] if group["label"] == UNKNOWN),
        *({**group, "folded": True} for group in rest[:LISTED]),
    ]


def test_cards_say_what_the_rows_add_up_to(draw, random_visits):
    shown = draw()

    visitors, cards = shown.visitors, shown.cards
    assert cards.online == len(visitors) > 100
    assert cards.in_view == visitors["in_view"].sum() > 0
    assert cards.away == (~visitors["in_view"]).sum()
    assert cards.chatting == (visitors["status"] == "Chatting").sum() > 0
    assert cards.browsing == (visitors["status"] == "Browsing").sum()


@pytest.mark.parametrize("by", ["source", "browser", "os", "country"])
def test_breakdown_is_that_of_the_rows(draw, random_visits, by):
    shown = draw()

    rows = getattr(shown.breakdowns, by)

    assert rows.to_dict("records") == shares_of(shown.visitors, by)


def test_first_rows_are_those_of_all_rows(draw, random_visits):
    whole = draw()

    for most in (1, 10, 90, len(whole.visitors), 1_000):
        shown = draw(most)
        pd.testing.assert_frame_equal(as_text(shown.visitors), as_text(whole.visitors.head(most)))
        assert shown.is_whole is (most >= len(whole.visitors))
        assert (shown.cards, shown.open_chats) == (whole.cards, whole.open_chats)
        for by, groups in shown.breakdowns.groups.items():
            assert groups == whole.breakdowns.groups[by]
    assert whole.is_whole


def as_text(visitors: pd.DataFrame) -> pd.DataFrame:
    """Without categories, which are those that occur in the frame."""
    return visitors.astype(dict.fromkeys(visitors.select_dtypes("category").columns, "str"))


def test_open_chats_are_those_that_the_rows_name(draw, random_visits):
    shown = draw()

    rows = shown.visitors[shown.visitors["conversation"] == ConversationState.OPEN.value]
    named = {(row["site"], row["id"]): row["conversation_id"] for row in rows.to_dict("records")}
    assert named
    assert named.items() <= shown.open_chats.items()
