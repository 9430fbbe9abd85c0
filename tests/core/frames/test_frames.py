"""The picture of a site: cards, days, shares and the rows of the live list."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from core.database import reading
from core.enrich.page_context import PageContext
from core.frames import (
    OTHER,
    OTHER_LABEL,
    UNKNOWN,
    order_by,
    picture_at,
)
from core.frames.breakdown import breakdown
from core.tables import Conversation, Site, VisitCount
from core.visits.labels import activity_label, duration_label

TICK = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

COLUMNS = {
    "id": "str",
    "status": "category",
    "in_view": "bool",
    "dim": "bool",
    "path": "str",
    "title": "str",
    "page_context": "category",
    "source": "category",
    "source_kind": "category",
    "browser": "category",
    "os": "category",
    "device": "category",
    "country": "category",
    "country_name": "category",
    "flag": "category",
    "page_count": "int64",
    "time_on_site": "int64",
    "time_on_site_label": "str",
    "idle_seconds": "int64",
    "activity_label": "category",
    "started_at": "datetime64[us, UTC]",
    "last_seen_at": "datetime64[us, UTC]",
    "last_activity_at": "datetime64[us, UTC]",
    "visitor_name": "str",
    "who": "str",
    "visit_number": "int64",
    "returning": "category",
    "cart_value": "float64",
    "cart_currency": "category",
    "cart": "str",
    "conversation": "category",
    "conversation_id": "str",
    "site": "category",
    "site_name": "category",
}


@pytest.fixture
def picture(database, site, now):
    """A function that draws the site's picture at `now`."""

    def draw(at=now):
        with reading(database) as connection:
            return picture_at(connection, [site], at, at)

    return draw


@pytest.fixture
def make_conversation(now):
    """make_conversation(...): one of the visit `visit` of site 7."""

    def make_conversation(**columns):
        values = {"id": "talk", "site_id": 7, "visit_id": "visit", "opened_by": "agent", **columns}
        return Conversation(token=f"token of {values['id']}", created_at=now, revision=1, **values)

    return make_conversation


@pytest.fixture
def row(picture, store, make_visit):
    """A function that stores one visit and gives its row in the picture."""

    def row(**columns):
        store(make_visit(**columns))
        return picture().visitors.iloc[0]

    return row


# Rows


def test_row_says_everything_that_the_page_shows(row, now):
    shown = row(
        current_path="/cart",
        current_title="Your cart",
        page_context="Cart",
        source="Google",
        source_kind="search",
        browser="Firefox",
        os="Linux",
        device="desktop",
        country="NP",
        page_count=3,
        attributes={"name": "Ada", "email": "ada@example.com"},
        visit_number=3,
        cart_value=120.5,
        cart_currency="EUR",
    )

    assert shown.to_dict() == {
        "id": "visit",
        "status": "Browsing",
        "in_view": True,
        "dim": False,
        "path": "/cart",
        "title": "Your cart",
        "page_context": "Cart",
        "source": "Google",
        "source_kind": "search",
        "browser": "Firefox",
        "os": "Linux",
        "device": "desktop",
        "country": "NP",
        "country_name": "Nepal",
        "flag": "🇳🇵",
        "page_count": 3,
        "time_on_site": 300,
        "time_on_site_label": "5m 00s",
        "idle_seconds": 30,
        "activity_label": "Active",
        "started_at": now - 5 * MINUTE,
        "last_seen_at": now - 10 * SECOND,
        "last_activity_at": now - 30 * SECOND,
        "visitor_name": "Ada",
        "who": "Ada",
        "visit_number": 3,
        "returning": "3rd visit",
        "cart_value": 120.5,
        "cart_currency": "EUR",
        "cart": "€120.50",
        "conversation": "",
        "conversation_id": "",
        "site": "shop",
        "site_name": "Shop",
    }


def test_visitors_without_a_name_are_called_by_browser_and_country(picture, store, make_visit):
    store(
        make_visit("1", attributes={"email": "ada@example.com"}, browser="Chrome", country="US"),
        make_visit("2", browser="Chrome", country="US"),
        make_visit("3", browser="Firefox", country=""),
        make_visit("4", browser="", country=""),
    )

    shown = picture().visitors.set_index("id")

    assert shown["who"].to_dict() == {
        "1": "ada@example.com",
        "2": "Chrome, United States",
        "3": "Firefox",
        "4": "Unknown visitor",
    }
    assert shown["returning"].tolist() == [""] * 4
    assert shown["cart"].tolist() == [""] * 4


@pytest.mark.parametrize("visits", [0, 1, 3])
def test_columns_and_their_types_are_the_same_with_and_without_visitors(
    picture, store, make_visit, visits
):
    store(*(make_visit(str(number)) for number in range(visits)))

    assert {name: str(kind) for name, kind in picture().visitors.dtypes.items()} == COLUMNS


@pytest.mark.parametrize(
    ("chat_source", "ago", "status"),
    [
        ("", None, "Browsing"),
        ("", SECOND, "Browsing"),
        ("third_party", 0 * SECOND, "Chatting"),
        ("third_party", 20 * MINUTE - TICK, "Chatting"),
        ("third_party", 20 * MINUTE, "Browsing"),
        ("third_party", None, "Browsing"),
        ("built_in", 0 * SECOND, "Chatting"),
        ("built_in", 20 * MINUTE - TICK, "Chatting"),
        ("built_in", 20 * MINUTE, "Browsing"),
        ("built_in", None, "Browsing"),
    ],
)
def test_chatting_is_whatever_chat_had_a_message_in_the_last_twenty_minutes(
    row, now, chat_source, ago, status
):
    message_at = None if ago is None else now - ago

    assert row(chat_source=chat_source, chat_message_at=message_at)["status"] == status


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", "queued"),
        ("delivered", "delivered"),
        ("shown", "shown"),
        ("open", "open"),
        ("dismissed", ""),
        ("expired", ""),
        ("ended", ""),
        ("left", ""),
    ],
)
def test_row_has_the_conversation_that_is_not_over(row, store, make_conversation, state, shown):
    store(make_conversation(state=state), make_conversation(id="other", site_id=8, state="open"))

    found = row()

    assert (found["conversation"], found["conversation_id"]) == (shown, "talk" if shown else "")


def test_rows_sort_by_how_far_their_conversations_have_come(
    picture, store, make_visit, make_conversation
):
    states = ("queued", "", "open", "delivered", "shown")
    store(*(make_visit(f"visit {state}") for state in states))
    store(
        *(
            make_conversation(id=state, visit_id=f"visit {state}", state=state)
            for state in states
            if state
        )
    )

    ordered = order_by(picture().visitors, "conversation")

    assert ordered["conversation"].tolist() == ["open", "shown", "delivered", "queued", ""]


@pytest.mark.parametrize(("ahead", "in_view"), [(-TICK, False), (0 * TICK, False), (TICK, True)])
def test_visit_is_in_view_until_the_moment_that_its_row_names(row, now, ahead, in_view):
    assert row(in_view_until=now + ahead)["in_view"] == in_view


@pytest.mark.parametrize(
    ("quiet", "dim", "label"),
    [
        (-4 * MINUTE, False, "Active"),
        (MINUTE - TICK, False, "Active"),
        (MINUTE, False, "1m ago"),
        (10 * MINUTE - TICK, False, "9m ago"),
        (10 * MINUTE, True, "Idle 10m"),
        (30 * MINUTE - TICK, True, "Idle 29m"),
    ],
)
def test_row_is_dim_from_ten_quiet_minutes(row, now, quiet, dim, label):
    shown = row(started_at=now - HOUR, last_activity_at=now - quiet)

    assert (shown["dim"], shown["activity_label"]) == (dim, label)


@pytest.mark.parametrize(
    ("started_ago", "seen_ago", "in_view", "seconds"),
    [
        (5 * MINUTE, MINUTE, True, 300),
        (5 * MINUTE, MINUTE, False, 240),
        (SECOND - TICK, 0 * SECOND, True, 0),
        (SECOND, 0 * SECOND, True, 1),
        (26 * HOUR, 0 * SECOND, True, 93_600),
        (-MINUTE, 0 * SECOND, True, 0),
        (MINUTE, 2 * MINUTE, False, 0),
    ],
)
def test_time_on_site_grows_in_view_and_else_ends_with_the_last_sign_of_life(
    row, now, started_ago, seen_ago, in_view, seconds
):
    shown = row(
        started_at=now - started_ago,
        last_seen_at=now - seen_ago,
        in_view_until=now + (SECOND if in_view else -SECOND),
    )

    assert shown["time_on_site"] == seconds
    assert shown["time_on_site_label"] == duration_label(seconds * SECOND)


@pytest.mark.parametrize("stored", ["", "Other"])
def test_browser_and_system_that_are_not_known_are_called_unknown(row, stored):
    shown = row(browser=stored, os=stored)

    assert (shown["browser"], shown["os"]) == (UNKNOWN, UNKNOWN)


def test_country_that_is_not_known_is_called_unknown(row):
    shown = row(country="")

    assert (shown["country"], shown["country_name"], shown["flag"]) == ("", "Unknown", "")


def test_sources_that_are_called_as_states_are_stay_what_they_are(picture, store, make_visit):
    store(make_visit(id="a" * 16, source="Chatting"), make_visit(id="b" * 16, source="Browsing"))
    rows = picture().visitors.set_index("id")
    assert rows["source"].to_dict() == {"a" * 16: "Chatting", "b" * 16: "Browsing"}
    assert set(rows["status"]) == {"Browsing"}


def test_context_of_another_version_is_none(row):
    assert row(page_context="Wishlist")["page_context"] == ""


def test_default_order_is_the_order_of_attention(picture, store, make_visit, now):
    away = {"in_view_until": now - SECOND}
    idle = {"last_activity_at": now - 10 * MINUTE}
    store(
        make_visit("14 idle, but in checkout", page_context="In Checkout", **idle),
        make_visit("13 purchased", page_context="Purchased"),
        make_visit("12 none, away", **away),
        make_visit("11 none"),
        make_visit("10 search", page_context="Search"),
        make_visit("09 collection", page_context="Collection"),
        make_visit("08 product", page_context="Product"),
        make_visit("07 cart", page_context="Cart"),
        make_visit("06 away, fresh", page_context="In Checkout", last_activity_at=now, **away),
        make_visit("05 same", page_context="In Checkout"),
        make_visit("04 same", page_context="In Checkout"),
        make_visit("03 fresher", page_context="In Checkout", last_activity_at=now - 29 * SECOND),
        make_visit("02 by a tick", page_context="In Checkout", last_activity_at=now - TICK),
        make_visit("01 freshest", page_context="In Checkout", last_activity_at=now),
    )

    ids = picture().visitors["id"].tolist()

    assert [name[:2] for name in ids] == [f"{number:02}" for number in range(1, 15)]


# Cards and days


def test_cards_add_up(picture, store, make_visit, now):
    store(
        make_visit("1", chat_source="built_in", chat_message_at=now),
        make_visit("2", chat_source="built_in", chat_message_at=now, in_view_until=now),
        make_visit("3", in_view_until=now),
        make_visit("4"),
        make_visit("5"),
        make_visit("ended", last_activity_at=now - 30 * MINUTE),
        make_visit("elsewhere", site_id=8),
    )

    cards = picture().cards

    assert (cards.online, cards.in_view, cards.away) == (5, 3, 2)
    assert (cards.chatting, cards.browsing) == (2, 3)


def test_empty_site_has_zeros_and_seven_days(picture, now):
    empty = picture()

    assert empty.as_of == now
    assert set(vars(empty.cards).values()) == {0}
    assert empty.days["visits"].tolist() == [0] * 7
    assert not any(empty.breakdowns.groups.values())


def test_breakdown_has_the_same_types_without_a_visitor() -> None:
    some = breakdown({"DE": 3, "": 1}, "country").dtypes
    pd.testing.assert_series_equal(breakdown({}, "country").dtypes, some)


def test_days_are_local_and_today_is_marked(picture, store, now):
    def count(starts_at, visits):
        return VisitCount(site_id=7, starts_at=datetime(*starts_at, tzinfo=UTC), visits=visits)

    store(
        count((2026, 10, 31, 22, 45), 1000),  # Berlin's October
        count((2026, 10, 31, 23, 0), 500),
        count((2026, 11, 15, 22, 45), 100),  # the eighth day back
        count((2026, 11, 15, 23, 0), 7),
        count((2026, 11, 21, 22, 45), 5),
        count((2026, 11, 21, 23, 0), 3),
        count((2026, 11, 22, 12, 30), 2),
    )

    shown = picture()

    assert shown.days.to_dict("list") == {
        "date": [date(2026, 11, day) for day in range(16, 23)],
        "label": [
            "Mon 16 Nov",
            "Tue 17 Nov",
            "Wed 18 Nov",
            "Thu 19 Nov",
            "Fri 20 Nov",
            "Sat 21 Nov",
            "Sun 22 Nov",
        ],
        "visits": [7, 0, 0, 0, 0, 5, 5],
        "level": [1, 0, 0, 0, 0, 5 / 7, 5 / 7],
        "is_today": [False] * 6 + [True],
    }
    assert (shown.cards.today, shown.cards.this_month) == (5, 617)


@pytest.mark.parametrize(
    ("time_zone", "before", "after"),
    [
        ("Africa/Cairo", "2026-04-23 21:45", "2026-04-23 22:00"),
        ("America/Havana", "2026-03-08 04:45", "2026-03-08 05:00"),
        ("America/Santiago", "2026-09-06 03:45", "2026-09-06 04:00"),
        ("Australia/Lord_Howe", "2026-04-04 12:45", "2026-04-04 13:00"),
        ("Asia/Kathmandu", "2026-11-30 18:00", "2026-11-30 18:15"),
        ("Australia/Eucla", "2026-12-31 15:00", "2026-12-31 15:15"),
    ],
)
def test_visit_at_the_first_instant_of_a_day_is_todays(
    picture, store, site, time_zone, before, after
):
    before, after = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (before, after))
    site.time_zone = time_zone
    store(
        VisitCount(site_id=7, starts_at=before, visits=1),
        VisitCount(site_id=7, starts_at=after, visits=10),
    )

    days = picture(after).days

    assert days["visits"].tolist()[-2:] == [1, 10]


# Several sites


@pytest.fixture
def all_sites(database, site, now):
    """A function that draws the picture of the site 7 in Berlin and the site 8 in Auckland."""
    other = Site(id=8, key="pots", name="Pots", time_zone="Pacific/Auckland", created_at=now)

    def draw(at=now):
        with reading(database) as connection:
            return picture_at(connection, [site, other], at, at)

    return draw


def test_rows_of_all_sites_stand_in_one_order_and_say_whose_they_are(all_sites, store, make_visit):
    store(
        make_visit("same", page_context="Product"),
        make_visit("same", site_id=8, page_context="Cart"),
        make_visit("third", site_id=8),
        make_visit("elsewhere", site_id=9),
    )

    shown = all_sites()

    rows = shown.visitors[["site", "site_name", "id", "page_context"]].to_numpy().tolist()
    assert rows == [
        ["pots", "Pots", "same", "Cart"],
        ["shop", "Shop", "same", "Product"],
        ["pots", "Pots", "third", ""],
    ]
    assert (shown.cards.online, shown.breakdowns.source["visits"].sum()) == (3, 3)


def test_conversation_is_only_that_of_the_visit_of_its_own_site(
    all_sites, store, make_visit, make_conversation
):
    store(make_visit("visit"), make_visit("visit", site_id=8))
    store(make_conversation(site_id=8, state="open"))

    rows = all_sites().visitors.set_index("site", drop=False)

    assert rows.loc["pots", ["conversation", "conversation_id"]].tolist() == ["open", "talk"]
    assert rows.loc["shop", ["conversation", "conversation_id"]].tolist() == ["", ""]


def test_each_site_has_its_own_today(all_sites, store):
    def count(site_id, starts_at, visits):
        starts_at = datetime(*starts_at, tzinfo=UTC)
        return VisitCount(site_id=site_id, starts_at=starts_at, visits=visits)

    store(
        count(7, (2026, 10, 31, 22, 45), 10_000),  # Berlin's October
        count(7, (2026, 10, 31, 23, 0), 1_000),
        count(8, (2026, 10, 31, 10, 45), 20_000),  # Auckland's October
        count(8, (2026, 10, 31, 11, 0), 2_000),
        count(7, (2026, 11, 21, 23, 0), 3),  # Berlin's 22nd
        count(8, (2026, 11, 21, 23, 0), 40),  # Auckland's 22nd, which began at 11:00
        count(8, (2026, 11, 22, 11, 0), 500),  # Auckland's 23rd
    )

    shown = all_sites(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))

    assert shown.days["visits"].tolist()[-2:] == [40, 503]
    assert shown.days["label"].tolist()[-2:] == [
        "Sat 21 Nov / Sun 22 Nov",
        "Sun 22 Nov / Mon 23 Nov",
    ]
    assert shown.days["is_today"].tolist() == [False] * 6 + [True]
    assert (shown.cards.today, shown.cards.this_month) == (503, 3_543)


# Shares


def shares(picture, by="browser"):
    rows = getattr(picture.breakdowns, by)
    return list(zip(rows["label"], rows["visits"], rows["folded"], strict=True))


def test_share_is_the_part_of_the_live_list(picture, store, make_visit):
    store(*(make_visit(str(number), browser="Chrome") for number in range(3)))
    store(make_visit("other", browser="Edge"))

    rows = picture().breakdowns.browser

    plain = {"flag": "", "code": "", "folded": False}
    assert rows.to_dict("records") == [
        {**plain, "label": "Chrome", "value": "Chrome", "visits": 3, "share": 0.75},
        {**plain, "label": "Edge", "value": "Edge", "visits": 1, "share": 0.25},
    ]


def test_countries_have_a_flag_and_a_code(picture, store, make_visit):
    store(make_visit("1", country="DE"), make_visit("2", country="DE"), make_visit("3"))

    rows = picture().breakdowns.country

    assert rows.drop(columns=["share", "folded"]).to_dict("records") == [
        {"label": "Germany", "flag": "🇩🇪", "code": "DE", "value": "DE", "visits": 2},
        {"label": "Unknown", "flag": "", "code": "", "value": "", "visits": 1},
    ]


@pytest.mark.parametrize(
    ("stored", "rows", "folded"),
    [
        ("", [], []),
        ("dcba", [(name, 1) for name in "abcd"], []),
        ("abbcde", [("b", 2), ("a", 1), ("c", 1), ("d", 1), (OTHER_LABEL, 1)], [("e", 1)]),
        ("aabbccddeef", [*((name, 2) for name in "abcd"), (OTHER_LABEL, 3)], [("e", 2), ("f", 1)]),
        ("aabbccdd?", [*((name, 2) for name in "abcd"), (UNKNOWN, 1)], []),
        ("aabbccdd??e", [*((name, 2) for name in "Uabc"), (OTHER_LABEL, 3)], [("d", 2), ("e", 1)]),
        ("aabbccdde?", [*((n, 2) for n in "abcd"), (OTHER_LABEL, 1), (UNKNOWN, 1)], [("e", 1)]),
    ],
)
def test_four_largest_groups_then_other_and_unknown_never_hides_in_it(
    picture, store, make_visit, stored, rows, folded
):
    names = {"?": "", "U": UNKNOWN}
    store(
        *(
            make_visit(str(number), browser=names.get(name, name))
            for number, name in enumerate(stored)
        )
    )

    assert shares(picture()) == [
        *((names.get(name, name), visits, False) for name, visits in rows),
        *((name, visits, True) for name, visits in folded),
    ]


def test_source_that_is_called_other_is_not_the_rest(picture, store, make_visit):
    store(*(make_visit(str(number), source="Other") for number in range(3)))
    store(*(make_visit(name, source=name) for name in "abcd"))

    rows = picture().breakdowns.source

    assert rows[rows["label"] == "Other"]["value"].tolist() == ["Other", OTHER]
    assert rows["value"].is_unique


def test_no_more_than_fifty_of_many_sources_are_named(picture, store, make_visit):
    store(*(make_visit(str(number), source=f"source {number:03}") for number in range(80)))

    rows = picture().breakdowns.source

    assert rows["folded"].sum() == 50
    assert rows.loc[rows["value"] == OTHER, "visits"].tolist() == [76]


def test_breakdown_of_any_of_the_four_adds_up_to_the_live_list(picture, store, make_visit):
    chance = random.Random(2)
    store(
        *(
            make_visit(
                str(number),
                source=chance.choice(["Direct", "Google", "Other", *"abcdefghij"]),
                browser=chance.choice(["", "Other", *"abcdefghij"]),
                os=chance.choice(["", "Windows", "iOS"]),
                country=chance.choice(["", "DE", "FR", "GB", "US", "IN", "NP", "NZ", "JP", "BR"]),
            )
            for number in range(200)
        )
    )

    breakdowns = picture().breakdowns

    for by in ("source", "browser", "os", "country"):
        rows = getattr(breakdowns, by)
        shown, folded = rows[~rows["folded"]], rows[rows["folded"]]
        assert shown["visits"].sum() == 200
        assert shown["share"].sum() == pytest.approx(1)
        assert folded["visits"].sum() == shown.loc[shown["value"] == OTHER, "visits"].sum()
        assert (UNKNOWN in shown["label"].tolist()) is (by != "source")


# Everything together, against the rules one by one


@pytest.mark.parametrize("seed", range(3))
def test_picture_of_random_visits_is_what_the_rules_say(picture, store, make_visit, now, seed):
    chance = random.Random(seed)

    def ago(longest):
        return timedelta(milliseconds=chance.randrange(int(longest / TICK)))

    visits = [
        make_visit(
            f"visit {number}",
            started_at=now - 40 * MINUTE - ago(HOUR),
            last_seen_at=now - ago(MINUTE),
            last_activity_at=now - ago(40 * MINUTE),
            in_view_until=now + 45 * SECOND - ago(90 * SECOND),
            page_context=chance.choice(list(PageContext)).value,
            chat_source=chance.choice(["", "third_party", "built_in"]),
            chat_message_at=now - ago(40 * MINUTE),
            os=chance.choice(["Windows", "macOS", "iOS"]),
        )
        for number in range(150)
    ]
    store(*visits)

    shown = picture()

    live = {visit.id: visit for visit in visits if now - visit.last_activity_at < 30 * MINUTE}
    assert set(shown.visitors["id"]) == set(live)
    assert shown.cards.online == len(live)
    systems = {label: visits for label, visits, _ in shares(shown, "os")}
    assert systems == Counter(visit.os for visit in live.values())
    for row in shown.visitors.to_dict("records"):
        visit = live[row["id"]]
        in_view = now < visit.in_view_until
        chatting = visit.chat_source != "" and now - visit.chat_message_at < 20 * MINUTE
        until = now if in_view else visit.last_seen_at
        assert row["in_view"] == in_view
        assert row["status"] == ("Chatting" if chatting else "Browsing")
        assert row["dim"] == (now - visit.last_activity_at >= 10 * MINUTE)
        assert row["activity_label"] == activity_label(now - visit.last_activity_at)
        assert row["time_on_site_label"] == duration_label(until - visit.started_at)
        assert row["page_context"] == visit.page_context
