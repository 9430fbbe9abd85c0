"""How each event moves a visit. Moments are milliseconds; START is when the visit opens."""

from dataclasses import dataclass, field

import pytest

from core.visits.hit import ChatReport, Event, EventKind, Opening
from core.visits.presence import ChangeKind, ChatSource, SpanKind
from core.visits.tab_state import MAX_TABS, read_memory, write_memory
from core.visits.tracked_visit import Entry, TrackedVisit
from core.visits.visit import (
    MAX_ATTRIBUTES,
    advance,
    heal_clock,
    is_over,
    learn_time_zone,
    needs_known_tab,
    open_visit,
)
from core.visits.visit_rows import VisitRows

START = 1_763_800_000_000
SECOND = 1_000
MINUTE = 60 * SECOND
TICK = 1


def event(kind, number, at, *, active_at=None, path="/", **fields):
    """An event; `active_at` defaults to the visit's start, so that it reports no new activity."""
    if active_at is None:
        active_at = at if kind is EventKind.VIEW else START
    return Event(kind, number, at, active_at, path=path, **fields)


def view(number, at, path="/", **fields):
    return event(EventKind.VIEW, number, at, path=path, **fields)


def presence(number, at, **fields):
    return event(EventKind.PRESENCE, number, at, **fields)


def hidden(number, at, **fields):
    return event(EventKind.HIDDEN, number, at, **fields)


def chat(number, at, report, **fields):
    return event(EventKind.CHAT, number, at, chat=report, **fields)


def identify(number, at, attributes, **fields):
    return event(EventKind.IDENTIFY, number, at, attributes=attributes, **fields)


@dataclass
class VisitStory:
    """A visit that was opened by a page view of "/" in tab `t1`, and the rows it left."""

    visit: TrackedVisit = field(init=False)
    trail: VisitRows = field(default_factory=VisitRows)

    def __post_init__(self):
        first = view(1, START)
        self.visit = open_visit(7, "visit", first, Opening(source="Google", source_kind="search"))
        self.take("t1", first)

    def take(self, tab, *events):
        for each in events:
            advance(self.visit, tab, each, self.trail)
        return self

    def spans(self, kind):
        """(tab, from, until, is_open) of the kind's spans, in seconds since the start."""
        return sorted(
            (
                f"t{span.tab}",
                (span.from_at - START) / SECOND,
                (span.until_at - START) / SECOND,
                span.is_open,
            )
            for span in self.trail.new_spans.values()
            if span.kind == kind
        )

    def is_in_view(self, at):
        return at < self.visit.in_view_until


@pytest.fixture
def story():
    return VisitStory()


# Opening


def test_visit_opens_with_the_page_view_and_what_was_known_of_it(story):
    visit = story.visit

    assert (visit.started_at, visit.last_seen_at, visit.last_activity_at) == (START, START, START)
    assert (visit.page_count, visit.current_path) == (1, "/")
    assert visit.entry == Entry("/", "", Opening(source="Google", source_kind="search"))
    assert list(story.trail.views) == [(1, 1)]


def test_visit_names_the_one_that_it_follows():
    visit = open_visit(7, "new", view(1, START), Opening(), follows="old")

    assert visit.entry is not None
    assert visit.entry.follows == "old"


# The end: thirty minutes after the last activity


@pytest.mark.parametrize(
    ("after", "over"),
    [
        (-MINUTE, False),
        (0, False),
        (30 * MINUTE - TICK, False),
        (30 * MINUTE, True),
        (30 * MINUTE + TICK, True),
    ],
)
@pytest.mark.parametrize("kind", [EventKind.VIEW, EventKind.PRESENCE, EventKind.HIDDEN])
def test_visit_is_over_thirty_minutes_after_its_last_activity(story, kind, after, over):
    assert is_over(story.visit, event(kind, 2, START + after)) is over


@pytest.mark.parametrize(
    ("active_after", "after", "over"),
    [
        (30 * MINUTE - TICK, 30 * MINUTE + 10 * SECOND, False),
        (30 * MINUTE, 30 * MINUTE + 10 * SECOND, True),
        (29 * MINUTE, 59 * MINUTE - TICK, False),
        (29 * MINUTE, 59 * MINUTE, True),
    ],
)
@pytest.mark.parametrize("kind", [EventKind.VIEW, EventKind.PRESENCE])
def test_interaction_that_an_event_reports_keeps_the_visit_alive_for_thirty_minutes(
    story, kind, active_after, after, over
):
    late = event(kind, 2, START + after, active_at=START + active_after)

    assert is_over(story.visit, late) is over


def test_presence_does_not_put_off_the_end(story):
    story.take("t1", *(presence(2 + minute, START + minute * MINUTE) for minute in range(30)))

    assert is_over(story.visit, presence(99, START + 30 * MINUTE))


# Activity


@pytest.mark.parametrize(
    ("later", "moves"),
    [
        (view(2, START + MINUTE), True),
        (presence(2, START + MINUTE, active_at=START + 40 * SECOND), True),
        (hidden(2, START + MINUTE, active_at=START + 40 * SECOND), True),
        (chat(2, START + MINUTE, ChatReport.START), True),
        (presence(2, START + MINUTE), False),
        (hidden(2, START + MINUTE), False),
        (chat(2, START + MINUTE, ChatReport.MESSAGE), False),
        (chat(2, START + MINUTE, ChatReport.END), False),
        (identify(2, START + MINUTE, {"name": "Ada"}), False),
    ],
)
def test_activity_is_a_view_an_interaction_or_accepting_a_chat(story, later, moves):
    story.take("t1", later)

    assert (story.visit.last_activity_at > START) is moves
    assert story.visit.last_seen_at == START + MINUTE


def test_activity_never_moves_backwards(story):
    story.take("t1", view(2, START + MINUTE), presence(3, START + 2 * MINUTE))
    story.take("t2", presence(1, START + 2 * MINUTE, active_at=START + 30 * SECOND))

    assert story.visit.last_activity_at == START + MINUTE


def test_interaction_before_the_visit_is_not_its_activity(story):
    story.take("t2", presence(1, START + SECOND, active_at=START - MINUTE))

    assert story.visit.last_activity_at == START
    assert story.spans(SpanKind.ACTIVE) == [("t1", 0, 0, False)]


@pytest.mark.parametrize(
    ("gap", "spans"),
    [
        (MINUTE - TICK, [("t1", 0, 59.999, False)]),
        (MINUTE, [("t1", 0, 60, False)]),
        (MINUTE + TICK, [("t1", 0, 0, False), ("t1", 60.001, 60.001, False)]),
    ],
)
def test_active_span_is_split_by_more_than_a_minute_without_activity(story, gap, spans):
    story.take("t1", presence(2, START + 70 * SECOND, active_at=START + gap))

    assert story.spans(SpanKind.ACTIVE) == spans


# In view


@pytest.mark.parametrize(
    ("after", "in_view"), [(0, True), (90 * SECOND - TICK, True), (90 * SECOND, False)]
)
def test_tab_is_in_view_for_ninety_seconds_after_its_newest_event(story, after, in_view):
    story.take("t1", presence(2, START + 20 * SECOND))

    assert story.is_in_view(START + 20 * SECOND + after) is in_view


def test_hidden_takes_effect_at_once(story):
    story.take("t1", hidden(2, START + 20 * SECOND))

    assert not story.is_in_view(START + 20 * SECOND)


def test_hidden_counts_for_its_own_tab_only(story):
    story.take("t2", view(1, START + 10 * SECOND)).take("t1", hidden(2, START + 20 * SECOND))

    assert story.is_in_view(START + 100 * SECOND - TICK)
    assert not story.is_in_view(START + 100 * SECOND)


def test_tab_that_comes_back_is_in_view_again(story):
    story.take("t1", hidden(2, START + 20 * SECOND), presence(3, START + 50 * SECOND))

    assert story.is_in_view(START + 50 * SECOND)
    assert story.spans(SpanKind.IN_VIEW) == [("t1", 0, 20, False), ("t1", 50, 50, True)]


@pytest.mark.parametrize(
    ("gap", "spans"),
    [
        (90 * SECOND - TICK, [("t1", 0, 89.999, True)]),
        (90 * SECOND, [("t1", 0, 0, True), ("t1", 90, 90, True)]),
        (90 * SECOND + TICK, [("t1", 0, 0, True), ("t1", 90.001, 90.001, True)]),
    ],
)
def test_ninety_seconds_of_silence_split_the_span_in_view(story, gap, spans):
    story.take("t1", presence(2, START + gap))

    assert story.spans(SpanKind.IN_VIEW) == spans


@pytest.mark.parametrize(
    ("gap", "spans"),
    [
        (90 * SECOND - TICK, [("t1", 0, 89.999, False)]),
        (90 * SECOND, [("t1", 0, 0, True), ("t1", 90, 90, False)]),
    ],
)
def test_hidden_after_silence_leaves_the_span_as_silence_ended_it_and_is_told(story, gap, spans):
    story.take("t1", hidden(2, START + gap))

    assert story.spans(SpanKind.IN_VIEW) == spans


def test_second_hidden_leaves_a_span_without_length(story):
    story.take("t1", hidden(2, START + SECOND), hidden(3, START + 5 * SECOND))

    assert story.spans(SpanKind.IN_VIEW) == [("t1", 0, 1, False), ("t1", 5, 5, False)]


# Late and repeated deliveries


def test_repeated_event_changes_nothing(story):
    story.take("t1", view(2, START + MINUTE, "/cart"), hidden(3, START + 2 * MINUTE))
    before = (write_memory(story.visit.memory), str(story.visit))

    story.take("t1", view(2, START + MINUTE, "/cart"), hidden(3, START + 2 * MINUTE))

    assert (write_memory(story.visit.memory), str(story.visit)) == before


def test_late_view_is_counted_and_moves_nothing_else(story):
    story.take("t1", view(3, START + 3 * SECOND, "/new"), hidden(4, START + 4 * SECOND))
    story.take("t1", view(2, START + 2 * SECOND, "/late"))

    assert (story.visit.page_count, story.visit.current_path) == (3, "/new")
    assert not story.is_in_view(START + 4 * SECOND)
    assert story.trail.views[1, 2].page.path == "/late"


def test_view_that_took_longer_on_its_way_keeps_its_place_in_its_tab(story):
    story.take("t1", view(2, START + 900, "/second"), view(3, START + 800, "/third"))

    views = story.trail.views
    assert views[1, 2].viewed_at == views[1, 3].viewed_at == START + 900


@pytest.mark.parametrize(
    "late",
    [
        presence(2, START + 2 * SECOND, focused=True),
        chat(2, START + 2 * SECOND, ChatReport.START),
        identify(2, START + 2 * SECOND, {"name": "Ada"}),
    ],
)
def test_late_event_other_than_a_view_changes_nothing(story, late):
    story.take("t1", view(3, START + 3 * SECOND))
    before = str(story.visit)

    assert str(story.take("t1", late).visit) == before


def test_view_that_is_stored_already_is_not_counted_again(story):
    story.trail.known_views.add((2, 1))

    story.take("t2", view(1, START + SECOND))

    assert story.visit.page_count == 1


@pytest.mark.parametrize(
    ("tab", "later", "needed"),
    [
        ("t1", view(1, START), True),
        ("t1", view(2, START), False),
        ("t2", view(1, START), False),
        ("t1", presence(1, START), False),
    ],
)
def test_stored_rows_matter_where_a_tab_is_not_known_or_a_view_may_be_a_repetition(
    story, tab, later, needed
):
    assert needs_known_tab(story.visit, tab, later) is needed


def test_stored_views_matter_of_a_tab_that_may_be_forgotten(story):
    for number in range(2, MAX_TABS + 1):
        story.take(f"t{number}", view(1, START + number))
    assert not needs_known_tab(story.visit, "new", view(1, START))
    story.take(f"t{MAX_TABS + 1}", view(1, START + MAX_TABS + 1))
    assert needs_known_tab(story.visit, "new", presence(1, START))


def test_tab_that_was_forgotten_keeps_its_place_among_the_tabs(story):
    for number in range(2, MAX_TABS + 2):
        story.take(f"t{number}", view(1, START + number))
    story.trail = VisitRows(known_tabs={"t1": 1}, known_views={(1, 1)})

    story.take("t1", view(1, START), view(2, START + MINUTE))

    assert list(story.trail.views) == [(1, 2)]
    assert story.trail.new_tabs == {}


# The current page


def test_current_page_moves_on_a_view(story):
    story.take("t1", view(2, START + SECOND, "/cart", title="Cart", context="Cart"))

    visit = story.visit
    assert (visit.current_path, visit.current_title, visit.page_context) == (
        "/cart",
        "Cart",
        "Cart",
    )


@pytest.mark.parametrize(("focused", "path"), [(True, "/"), (False, "/two")])
def test_current_page_moves_to_another_tab_on_a_focused_presence_only(story, focused, path):
    story.take("t2", view(1, START + SECOND, "/two"))
    story.take("t1", presence(2, START + 2 * SECOND, focused=focused))

    assert story.visit.current_path == path


@pytest.mark.parametrize(("at", "path"), [(5 * SECOND - TICK, "/two"), (5 * SECOND, "/three")])
def test_of_several_tabs_the_newest_is_current(story, at, path):
    story.take("t2", view(1, START + 5 * SECOND, "/two"))
    story.take("t3", view(1, START + at, "/three"))

    assert story.visit.current_path == path


def test_hidden_tab_leaves_the_current_page(story):
    story.take("t2", view(1, START + SECOND, "/two")).take("t2", hidden(2, START + 2 * SECOND))

    assert story.visit.current_path == "/two"


def test_page_may_correct_the_context_of_its_view(story):
    story.take("t1", view(2, START + SECOND, "/a", context="Product"))
    story.take("t1", presence(3, START + 2 * SECOND, path="/a", context="Cart", sets_context=True))

    assert story.visit.page_context == "Cart"
    assert story.trail.views[1, 2].page.page_context == "Cart"


def test_context_of_a_stored_view_is_corrected_in_its_row(story):
    story.trail = VisitRows()

    story.take("t1", presence(2, START + SECOND, context="Cart", sets_context=True))

    assert story.trail.corrections == {(1, 1): ("/", "", "Cart")}


def test_title_that_is_set_late_reaches_the_page_and_its_row(story):
    story.trail = VisitRows()

    story.take("t1", presence(2, START + SECOND, title="Set late"))

    assert story.visit.current_title == "Set late"
    assert story.trail.corrections == {(1, 1): ("/", "Set late", "")}


def test_presence_without_a_title_keeps_the_title(story):
    story.take("t1", view(2, START + SECOND, "/a", title="Told"))
    story.take("t1", presence(3, START + 2 * SECOND, path="/a"))

    assert story.visit.current_title == "Told"


def test_context_of_another_tab_leaves_the_current_page_alone(story):
    story.take("t2", view(1, START + SECOND, "/two", context="Search"))
    story.take("t1", presence(2, START + 2 * SECOND, context="Cart", sets_context=True))

    assert story.visit.page_context == "Search"


def test_context_of_a_page_that_was_left_is_not_taken(story):
    story.take("t1", view(2, START + SECOND, "/a", context="Product"))
    story.take("t1", presence(3, START + 2 * SECOND, path="/", context="Cart", sets_context=True))

    assert story.visit.page_context == "Product"


def test_page_that_replaces_its_address_moves_its_view(story):
    story.take("t1", view(2, START + SECOND, "/a", context="Product", title="A"))
    story.take("t1", presence(3, START + 2 * SECOND, path="/cart", context="Cart", page=2))

    assert story.trail.views[1, 2].page == ("/cart", "A", "Cart")
    visit = story.visit
    assert (visit.current_path, visit.page_context, visit.page_count) == ("/cart", "Cart", 2)
    assert visit.entry is not None
    assert visit.entry.path == "/"


def test_first_page_that_replaces_its_address_moves_the_entry_page(story):
    story.take("t1", presence(2, START + SECOND, path="/a", page=1))
    assert story.visit.entry == Entry("/a", "", Opening(source="Google", source_kind="search"))

    story.visit.entry, story.trail = None, VisitRows()
    story.take("t1", hidden(3, START + SECOND, path="/b", page=1))
    assert story.trail.entry_path == "/b"
    assert story.trail.corrections == {(1, 1): ("/b", "", "")}


def test_event_that_speaks_of_another_page_changes_no_page(story):
    story.take("t1", view(2, START + SECOND, "/a", title="A"))
    story.take("t1", presence(3, START + 2 * SECOND, path="/", title="Old", page=1, focused=True))

    assert (story.visit.current_path, story.visit.current_title) == ("/a", "A")
    assert story.trail.views[1, 1].page.title == ""
    assert story.trail.corrections == {}


def test_tab_that_was_forgotten_goes_on_with_the_page_that_it_names(story):
    story.take("t2", presence(9, START + SECOND, path="/b", title="Late", page=7, focused=True))
    story.take("t2", presence(10, START + 2 * SECOND, path="/b", title="Later", page=7))

    assert (story.visit.current_path, story.visit.current_title) == ("/b", "Later")
    assert story.trail.corrections == {(2, 7): ("/b", "Later", "")}


# Third-party chats


def test_chat_that_starts_makes_the_visit_chatting(story):
    story.take("t1", chat(2, START + SECOND, ChatReport.START))

    visit = story.visit
    assert visit.chat_source == ChatSource.THIRD_PARTY
    assert (visit.chat_started_at, visit.chat_message_at) == (START + SECOND, START + SECOND)
    assert story.spans(SpanKind.CHATTING) == [("t1", 1, 1, True)]


def test_message_without_a_start_begins_a_chat(story):
    story.take("t1", chat(2, START + SECOND, ChatReport.MESSAGE))

    assert story.visit.chat_started_at == START + SECOND


@pytest.mark.parametrize(
    ("gap", "started", "spans"),
    [
        (20 * MINUTE - TICK, 0, [("t1", 0, 1199.999, True)]),
        (20 * MINUTE, 20 * MINUTE, [("t1", 0, 0, True), ("t1", 1200, 1200, True)]),
        (
            20 * MINUTE + TICK,
            20 * MINUTE + TICK,
            [("t1", 0, 0, True), ("t1", 1200.001, 1200.001, True)],
        ),
    ],
)
def test_chat_goes_on_until_twenty_minutes_without_a_report(story, gap, started, spans):
    story.take("t1", chat(2, START, ChatReport.START))
    story.take("t1", chat(3, START + gap, ChatReport.MESSAGE))

    assert story.visit.chat_started_at == START + started
    assert story.spans(SpanKind.CHATTING) == spans


def test_chat_that_ends_ends_at_once(story):
    story.take("t1", chat(2, START, ChatReport.START), chat(3, START + MINUTE, ChatReport.END))

    assert story.visit.chat_source == ChatSource.NONE
    assert story.spans(SpanKind.CHATTING) == [("t1", 0, 60, False)]


def test_end_after_silence_leaves_the_span_as_silence_ended_it(story):
    story.take("t1", chat(2, START, ChatReport.START), chat(3, START + 20 * MINUTE, ChatReport.END))

    assert story.spans(SpanKind.CHATTING) == [("t1", 0, 0, True)]


def test_chat_may_go_on_in_another_tab(story):
    story.take("t1", chat(2, START, ChatReport.START))
    story.take("t2", chat(1, START + MINUTE, ChatReport.MESSAGE))

    assert story.spans(SpanKind.CHATTING) == [("t1", 0, 60, True)]


def test_new_chat_after_an_end_is_a_new_span(story):
    story.take("t1", chat(2, START, ChatReport.START), chat(3, START + SECOND, ChatReport.END))
    story.take("t1", chat(4, START + 5 * SECOND, ChatReport.START))

    assert story.spans(SpanKind.CHATTING) == [("t1", 0, 1, False), ("t1", 5, 5, True)]


@pytest.mark.parametrize("report", list(ChatReport))
def test_third_party_report_leaves_a_built_in_chat_alone(story, report):
    story.visit.chat_source = ChatSource.BUILT_IN
    story.visit.chat_message_at = START

    story.take("t1", chat(2, START + 20 * MINUTE - 1, report))

    assert story.visit.chat_source == ChatSource.BUILT_IN
    assert story.visit.chat_message_at == START


def test_third_party_report_counts_once_the_built_in_chat_has_been_silent_for_twenty_minutes(story):
    story.visit.chat_source = ChatSource.BUILT_IN
    story.visit.chat_message_at = START

    story.take("t1", chat(2, START + 20 * MINUTE, ChatReport.START))

    assert story.visit.chat_source == ChatSource.THIRD_PARTY
    assert story.visit.chat_message_at == START + 20 * MINUTE


def test_context_is_dated_from_when_it_began(story):
    began = story.visit.memory.context_at

    story.take("t1", view(2, START + MINUTE, "/cart", context="Cart"))
    story.take("t1", view(3, START + 2 * MINUTE, "/cart?step=2", context="Cart"))

    assert began == START
    assert story.visit.memory.context_at == START + MINUTE


# Attributes and the time zone


def test_identify_keeps_ten_attributes_and_renews_known_ones(story):
    story.take("t1", identify(2, START, {f"key {number}": "old" for number in range(9)}))
    story.take("t1", identify(3, START, {"key 0": "new", "tenth": "kept", "eleventh": "dropped"}))

    assert len(story.visit.attributes) == MAX_ATTRIBUTES
    assert story.visit.attributes["key 0"] == "new"
    assert "tenth" in story.visit.attributes
    assert "eleventh" not in story.visit.attributes


@pytest.mark.parametrize(
    ("known", "zone", "country", "expected"),
    [
        ("", "Asia/Kathmandu", "NP", ("Asia/Kathmandu", "NP")),
        ("DE", "Asia/Kathmandu", "NP", ("Asia/Kathmandu", "DE")),
        ("", "", "NP", ("", "")),
        ("", "UTC", "", ("UTC", "")),
    ],
)
def test_time_zone_gives_the_country_where_none_was_known(story, known, zone, country, expected):
    story.visit.country = known

    rows = VisitRows()
    learn_time_zone(story.visit, zone, country, START + SECOND, rows)

    assert (story.visit.time_zone, story.visit.country) == expected
    told = [(change.kind, change.changed_at) for change in rows.changes]
    has_become_known = not known and expected[1]
    assert told == ([(ChangeKind.COUNTRY, START + SECOND)] if has_become_known else [])


def test_country_that_is_known_from_the_start_is_no_change(story):
    rows = VisitRows()
    story.visit.country = ""
    learn_time_zone(story.visit, "Asia/Kathmandu", "NP", START, rows)

    assert rows.changes == []


# What is remembered


def test_memory_survives_the_database(story):
    story.take("t1", chat(2, START, ChatReport.START)).take("t2", view(1, START, "/ä"))

    assert read_memory(write_memory(story.visit.memory)) == story.visit.memory


def test_only_the_newest_tabs_are_remembered(story):
    for number in range(MAX_TABS):
        story.take(f"new{number}", view(1, START + (number + 1) * SECOND))

    assert len(story.visit.memory.tabs) == MAX_TABS
    assert "t1" not in story.visit.memory.tabs
    assert story.visit.page_count == MAX_TABS + 1


def test_clock_that_jumped_back_is_healed(story):
    ahead = START + 60 * MINUTE
    story.take("t1", view(2, ahead), chat(3, ahead, ChatReport.START))

    heal_clock(story.visit, START + MINUTE)

    visit = story.visit
    assert max(visit.last_seen_at, visit.last_activity_at, visit.chat_message_at) == START + MINUTE
    story.take("t1", presence(4, START + 2 * MINUTE))
    assert not story.is_in_view(START + 2 * MINUTE + 90 * SECOND)


@pytest.mark.parametrize("ahead", [0, 5 * MINUTE])
def test_clock_within_five_minutes_is_left_alone(story, ahead):
    story.take("t1", view(2, START + ahead))
    before = str(story.visit)

    heal_clock(story.visit, START)

    assert str(story.visit) == before
