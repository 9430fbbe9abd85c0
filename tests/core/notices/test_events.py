"""What is told: one rule for each kind, each event once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from core.chat.states import Author, ClosedBy, ConversationState
from core.enrich.page_context import PageContext
from core.moment import to_milliseconds
from core.notices.events import SEEN_WITHIN, WAITS_AFTER, find_events
from core.notices.kinds import NoticeKind
from core.notices.store import KEPT_FOR, forget_notices, store_events
from core.notices.wishes import Wish, Wishes, current_wishes
from core.tables import (
    Agent,
    AgentNotices,
    AgentSite,
    Notice,
    NoticeAddress,
    NoticeDelivery,
    Visit,
    VisitChangeRow,
    VisitMemory,
)
from core.visits.presence import ChangeKind
from core.visits.row_keys import CHANGE_KINDS
from core.visits.tab_state import Memory, write_memory
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    SECOND,
    add_sites,
    add_visit,
    answer,
    ask,
    end,
    mark_typing,
    open_it,
    opened,
    visit_of,
)

CART = Wish(NoticeKind.CART, 5)


@pytest.fixture(autouse=True)
def shop(db):
    add_sites(db, 7)


def found(db, wish, now, site_id=7):
    return find_events(db, {site_id: {wish}}, now)


def kinds_at(db, kind, now, minutes=0):
    return [event.kind for event in found(db, Wish(NoticeKind(kind), minutes), now)]


def store(db, events, *addresses, now=NOW):
    return store_events(db, events, Wishes(list(addresses), {}), now)


def in_context(db, context, since, visit_id="visit", **columns):
    """A visit that is in the context since then."""
    add_visit(db, visit_id, page_context=context.value, **columns)
    memory = write_memory(Memory(context_at=to_milliseconds(since)))
    number = visit_of(db, visit_id).number
    db.execute(insert(VisitMemory).values(site_id=7, visit=number, memory=memory))


def identified(db, told, at, visit_id="visit", number=1):
    """The visit's page has called `identify` with this, at that moment."""
    visit = visit_of(db, visit_id)
    db.execute(update(Visit).where(col(Visit.id) == visit_id).values(attributes=told))
    after = to_milliseconds(at) - to_milliseconds(visit.started_at)
    kind = CHANGE_KINDS[ChangeKind.ATTRIBUTES]
    text = "{" + ",".join(f'"{name}":"{value}"' for name, value in told.items()) + "}"
    row = {"visit": visit.number, "number": number, "kind": kind, "changed_after": after}
    db.execute(insert(VisitChangeRow).values(site_id=7, told=text, **row))


@pytest.mark.parametrize(("apart", "is_told"), [(-INSTANT, False), (0 * INSTANT, True)])
def test_message_that_nobody_answers_waits_after_thirty_seconds(db, apart, is_told):
    add_visit(db)
    chat = opened(db)
    ask(db, chat, now=NOW)

    told = found(db, Wish(NoticeKind.CHAT_WAITS), NOW + WAITS_AFTER + apart)

    assert [event.conversation_id for event in told] == ([chat.id] if is_told else [])
    assert all(event.happened_at == NOW + WAITS_AFTER for event in told)


def test_chat_does_not_wait_once_it_is_answered_is_being_answered_or_has_ended(db):
    later = NOW + 31 * SECOND
    for name in ("answered", "typing", "ended", "waits"):
        add_visit(db, name)
    chats = {name: opened(db, name) for name in ("answered", "typing", "ended", "waits")}
    for chat in chats.values():
        ask(db, chat, now=NOW)
    answer(db, chats["answered"], now=NOW + SECOND)
    mark_typing(db, chats["typing"], Author.AGENT, later - SECOND)
    end(db, chats["ended"], ClosedBy.VISITOR, NOW + SECOND)

    told = found(db, Wish(NoticeKind.CHAT_WAITS), later)

    assert [event.visit_id for event in told] == ["waits"]


def test_each_wait_of_a_chat_is_told_once(db):
    add_visit(db)
    chat = opened(db)
    waits = Wish(NoticeKind.CHAT_WAITS)
    ask(db, chat, now=NOW)
    first = found(db, waits, NOW + MINUTE)
    assert store(db, first) == 1
    ask(db, chat, now=NOW + MINUTE)
    assert found(db, waits, NOW + 2 * MINUTE) == []

    answer(db, chat, now=NOW + 2 * MINUTE)
    ask(db, chat, now=NOW + 3 * MINUTE)

    second = found(db, waits, NOW + 4 * MINUTE)
    assert [event.happened_at for event in second] == [NOW + 3 * MINUTE + WAITS_AFTER]
    assert second[0].id != first[0].id


def test_left_message_is_told_at_once_and_for_a_day(db):
    add_visit(db)
    left = open_it(db, is_attended=False)
    assert left.state == ConversationState.LEFT

    assert kinds_at(db, "message_left", NOW) == ["message_left"]
    assert kinds_at(db, "message_left", NOW + timedelta(days=1) - INSTANT) == ["message_left"]
    assert kinds_at(db, "message_left", NOW + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("kind", "context"),
    [("cart", PageContext.CART), ("checkout", PageContext.IN_CHECKOUT)],
)
@pytest.mark.parametrize(
    ("since", "is_told"),
    [
        (5 * MINUTE - INSTANT, False),
        (5 * MINUTE, True),
        (5 * MINUTE + SEEN_WITHIN - INSTANT, True),
        (5 * MINUTE + SEEN_WITHIN, False),
    ],
)
def test_visitor_is_told_who_is_in_the_context_for_so_many_minutes(
    db, kind, context, since, is_told
):
    in_context(db, context, NOW - since)

    assert kinds_at(db, kind, NOW, minutes=5) == ([kind] if is_told else [])


@pytest.mark.parametrize(
    "columns",
    [
        {"in_view_until": NOW},
        {"last_activity_at": NOW - 30 * MINUTE},
    ],
    ids=["not in view", "over"],
)
def test_visitor_who_is_not_there_any_more_is_not_told(db, columns):
    in_context(db, PageContext.CART, NOW - 6 * MINUTE, **columns)

    assert found(db, CART, NOW) == []


def test_each_number_of_minutes_is_told_once_in_a_visit(db):
    in_context(db, PageContext.CART, NOW - 6 * MINUTE)
    assert store(db, found(db, CART, NOW)) == 1
    assert found(db, CART, NOW + SECOND) == []

    other = found(db, Wish(NoticeKind.CART, 3), NOW + SECOND)

    assert [event.minutes for event in other] == [3]


@pytest.mark.parametrize(("number", "is_told"), [(0, False), (1, False), (2, True), (9, True)])
def test_later_visit_of_a_remembered_visitor_is_told(db, number, is_told):
    add_visit(db, visit_number=number)

    assert kinds_at(db, "returning", NOW) == (["returning"] if is_told else [])
    assert kinds_at(db, "returning", NOW + 5 * MINUTE) == []


@pytest.mark.parametrize(
    ("told", "is_told"),
    [
        ({"name": "Ann"}, True),
        ({"email": "ann@shop.example"}, True),
        ({"plan": "gold"}, False),
        ({"name": ""}, False),
        ({"note": '\\"name\\":\\"Ann\\"'}, False),
    ],
)
def test_visit_that_gets_a_name_is_told(db, told, is_told):
    add_visit(db)
    identified(db, told, NOW - MINUTE)

    assert kinds_at(db, "named", NOW) == (["named"] if is_told else [])


def test_only_the_first_name_counts(db):
    add_visit(db, started_at=NOW - 25 * MINUTE)
    identified(db, {"name": "Ann"}, NOW - 20 * MINUTE)
    identified(db, {"name": "Ann", "plan": "gold"}, NOW - MINUTE, number=2)

    assert kinds_at(db, "named", NOW) == []


def test_only_sites_that_somebody_wants_to_hear_of_are_looked_at(db):
    add_visit(db, visit_number=2)

    assert found(db, Wish(NoticeKind.RETURNING), NOW, site_id=8) == []


def address(**columns):
    values = {"kinds": ["returning", "cart"], "minutes": 5, "created_at": NOW - MINUTE * 60}
    return NoticeAddress(**{"site_id": 7, "id": "address", "url": "json://x", **values, **columns})


@pytest.mark.parametrize(
    ("columns", "deliveries"),
    [
        ({}, 1),
        ({"kinds": ["named"]}, 0),
        ({"site_id": 8}, 0),
        ({"created_at": NOW}, 0),
    ],
    ids=["wanted", "another kind", "another site", "added later"],
)
def test_new_event_goes_to_each_address_that_wants_it(db, columns, deliveries):
    add_visit(db, visit_number=2)
    events = found(db, Wish(NoticeKind.RETURNING), NOW)

    assert store(db, events, address(**columns)) == 1
    assert store(db, events, address(**columns)) == 0

    assert len(db.execute(select(NoticeDelivery)).all()) == deliveries


def test_of_the_minutes_only_its_own_go_to_an_address(db):
    in_context(db, PageContext.CART, NOW - 6 * MINUTE)
    events = [*found(db, CART, NOW), *found(db, Wish(NoticeKind.CART, 3), NOW)]

    assert store(db, events, address()) == 2

    assert len(db.execute(select(NoticeDelivery)).all()) == 1


def test_revisions_of_a_site_grow(db):
    for name in ("one", "two", "three"):
        add_visit(db, name, visit_number=2)
    store(db, found(db, Wish(NoticeKind.RETURNING), NOW))
    revisions = db.execute(select(col(Notice.revision)).order_by(col(Notice.revision))).scalars()
    first = to_milliseconds(NOW)

    assert list(revisions) == [first, first + 1, first + 2]


def test_old_notices_go_with_their_deliveries(db):
    add_visit(db, visit_number=2, started_at=NOW)
    store(db, found(db, Wish(NoticeKind.RETURNING), NOW), address())
    assert forget_notices(db, NOW + KEPT_FOR, 10) == 0
    assert forget_notices(db, NOW + KEPT_FOR + INSTANT, 10) == 1
    assert db.execute(select(Notice)).all() == []
    assert db.execute(select(NoticeDelivery)).all() == []


def wish_of_agent(db, *, kinds=("cart",), **columns):
    values = {"key": "k", "name": "Ann", "seen_at": NOW, "created_at": NOW, "role": "agent"}
    agent = Agent(id=3, **{**values, **columns})
    db.execute(insert(Agent).values(**agent.model_dump()))
    wanted = AgentNotices(agent_id=3, kinds=list(kinds), minutes=5)
    db.execute(insert(AgentNotices).values(**wanted.model_dump()))


@pytest.mark.parametrize(
    ("columns", "is_wanted"),
    [
        ({}, True),
        ({"is_available": False}, True),
        ({"seen_at": NOW - MINUTE}, False),
        ({"role": "viewer"}, False),
        ({"kinds": []}, False),
    ],
    ids=["here", "away by the switch", "gone", "viewer", "nothing"],
)
def test_what_an_agent_wants_counts_while_the_dashboard_is_open(db, columns, is_wanted):
    wish_of_agent(db, **columns)

    assert current_wishes(db, NOW).by_site == ({7: {CART}} if is_wanted else {})


def test_agent_of_some_sites_wants_nothing_of_others(db):
    add_sites(db, 8)
    wish_of_agent(db, is_limited=True)
    db.execute(insert(AgentSite).values(agent_id=3, site_id=8))

    assert current_wishes(db, NOW).by_site == {8: {CART}}


def test_address_that_is_off_wants_nothing(db):
    for name, is_enabled in (("on", True), ("off", False)):
        row = address(id=name, is_enabled=is_enabled)
        db.execute(insert(NoticeAddress).values(**row.model_dump()))
    assert [each.id for each in current_wishes(db, NOW).addresses] == ["on"]

    db.execute(delete(NoticeAddress).where(col(NoticeAddress.id) == "on"))

    assert current_wishes(db, NOW) == Wishes([], {})


def test_rules_look_along_the_indexes(plan_of):
    for kind in NoticeKind:
        plan = plan_of(find_events, {7: {Wish(kind, 5)}}, NOW)
        assert "SCAN" not in plan, (kind, plan)
