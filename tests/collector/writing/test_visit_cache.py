"""A writer with visits in its memory stores what one would store that reads each visit again."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from collector.writing.faults import is_of_the_database
from collector.writing.hit_batch import commit_hits
from collector.writing.retention_chore import forget_visits
from collector.writing.statements import StaleVisits, Statements
from collector.writing.visit_cache import VisitCache
from collector.writing.visits_ahead import set_back_visits
from core.chat.conversations import end, open_as_visitor
from core.chat.messages import send_as_agent
from core.chat.states import ClosedBy
from core.chat.store import find_conversation
from core.database import open_database, reading, writing
from core.locks import lock_site
from core.moment import from_milliseconds
from core.reasons import Refused
from core.removal import delete_some, remove_site
from core.sites import add_site
from core.sqlite_copy import copy_database, overwrite_database
from core.tables import Conversation, Visit
from core.visitor_data import forget_visits_of, visits_of_person
from core.visits.hit import Accepted, Cart, ChatReport, Event, EventKind, Hit, Opening
from core.visits.row_keys import chat_tab
from tests.helpers.day_counting import count_days
from tests.helpers.edit_watch import unsaid_edits
from tests.helpers.running_collector import DAY, MINUTE, SECOND, START
from tests.helpers.statement_watch import watched_statements

NOW = int(START.timestamp() * 1000)
ANN, BEN = "ann0000000000000", "ben0000000000000"
COMPARED = (
    *("visit", "visit_memory", "visit_tab", "page", "page_view", "visit_span", "visit_change"),
    "visit_count",
)
TYPES = [EventKind.VIEW] * 3 + [EventKind.PRESENCE] * 6 + [*EventKind]

_numbers = count(1)


class WrittenSite:
    """A site, and the writer of its visits; remembers: it keeps visits from one batch to the next."""

    def __init__(self, url: str, *, remembers: bool) -> None:
        self.engine = open_database(url)
        self.statements = Statements(self.engine)
        self.remembers = remembers
        self.cache = VisitCache()
        self.now = NOW
        self.names = count(1)
        self.add()

    def add(self) -> None:
        with writing(self.engine) as db:
            site = add_site(db, name="Shop", key="shop", now=from_milliseconds(self.now))
        self.site_id = site.id or 0

    def take(self, *hits: Hit, cache: VisitCache | None = None) -> list[Any]:
        """What was made of the hits, in one batch."""
        kept = cache or self.cache if self.remembers else VisitCache()
        return list(commit_hits(self.engine, self.statements, kept, hits))

    def hit(self, *events: Event, visit: str = ANN, tab: str = "tab1") -> Hit:
        has_view = any(each.kind is EventKind.VIEW for each in events)
        opening = Opening(country="DE") if has_view else None
        return Hit(self.site_id, (visit,), False, tab, self.now, events, opening)

    def view(self, number: int = 1, path: str = "/", **fields: Any) -> Hit:
        shown = Event(EventKind.VIEW, number, self.now, self.now, path, "Tea")
        return self.hit(shown, **fields)

    def stay(self, number: int, path: str = "/", **fields: Any) -> Hit:
        """Still there, without a sign of life."""
        kept = Event(EventKind.PRESENCE, number, self.now, 0, path, "Tea", focused=True)
        return self.hit(kept, **fields)

    def wait(self, seconds: int = 15) -> None:
        self.now += seconds * SECOND

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is stored of visits, without ids that are made at random."""
        with reading(self.engine) as db:
            chats = db.execute(
                select(col(Conversation.id)).order_by(col(Conversation.created_at))
            ).scalars()
            names: dict[Any, str] = {}
            for number, id in enumerate(chats):
                names |= {id: f"chat{number}", chat_tab(id): f"chat{number}"}
            return {
                table: sorted(
                    [
                        tuple(map(str, (names.get(value, value) for value in row)))
                        for row in db.exec_driver_sql(f"SELECT * FROM {table}")
                    ]
                )
                for table in COMPARED
            }

    def end(self) -> None:
        self.engine.dispose()


@pytest.fixture
def make_shop(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[Callable[..., WrittenSite]]:
    """make_shop(remembers=...): on a database of its own."""
    shops: list[WrittenSite] = []
    made: list[str] = []

    def make(*, remembers: bool) -> WrittenSite:
        number = next(_numbers)
        if database_url.startswith("sqlite"):
            template = request.getfixturevalue("sqlite_template")
            url = f"sqlite:///{shutil.copy(template, tmp_path / f'{number}.db')}"
        else:
            server = request.getfixturevalue("postgres")
            template = request.getfixturevalue("postgres_template")
            made.append(f"shop_{number}")
            server.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {template}")
            url = server.url(made[-1])
        shops.append(WrittenSite(url, remembers=remembers))
        return shops[-1]

    yield make
    for shop in shops:
        shop.end()
    for name in made:
        request.getfixturevalue("postgres").execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def shop(make_shop: Callable[..., WrittenSite]) -> WrittenSite:
    return make_shop(remembers=True)


@pytest.fixture
def watched() -> Iterator[list[str]]:
    """The statements of every transaction while the test runs."""
    with watched_statements() as seen:
        yield seen


def of_visits(statements: list[str]) -> list[str]:
    """The statements that read or write rows of visits."""
    return [each for each in statements if re.search(r"\b(visit|\w+_row)\b", each)]


# What is read and written


def test_visit_that_the_writer_has_stored_is_not_read_again(shop, watched):
    shop.take(shop.view())
    shop.wait()
    watched.clear()
    shop.take(shop.stay(2))
    shop.take(shop.view(1, "/new", tab="tab2"))
    assert [each for each in of_visits(watched) if "SELECT" in each] == []


def test_only_what_has_moved_is_written(shop, watched):
    shop.take(shop.view())
    shop.wait()
    watched.clear()
    shop.take(shop.stay(2))
    [memory, visit, span] = [each for each in of_visits(watched) if each.startswith("UPDATE")]
    written = set(re.findall(r"(\w+) ?=", visit.partition(" SET ")[2].partition(" WHERE ")[0]))
    assert written == {"last_seen_at", "in_view_until"}
    assert "visit_memory" in memory
    assert "from_after" not in span


def test_repeated_beacon_writes_no_row_of_a_visit(shop, watched):
    first = shop.view()
    shop.take(first)
    watched.clear()
    [result] = shop.take(first)
    assert isinstance(result, Accepted)
    assert [each for each in of_visits(watched) if not each.startswith("SELECT")] == []


def test_too_many_visits_are_not_kept(make_shop):
    shop = make_shop(remembers=True)
    few = VisitCache(most=2)
    for number in range(5):
        shop.take(shop.view(visit=f"visit{number:011d}"), cache=few)
    assert few.size == 2
    shop.wait()
    hits = [shop.stay(2, visit=f"visit{number:011d}") for number in range(5)]
    assert all(isinstance(each, Accepted) for each in shop.take(*hits, cache=few))


def test_visits_that_take_too_much_memory_are_not_kept(shop):
    small = VisitCache(most_bytes=50_000)
    for number in range(20):
        shop.take(shop.view(visit=f"visit{number:011d}"), cache=small)
    assert small.size == 20
    for tab in range(16):
        far = f"/{'p' * 1_000}"
        hits = [shop.view(1, far, visit=f"visit{number:011d}", tab=f"t{tab}") for number in (1, 2)]
        shop.take(*hits, cache=small)
    assert small.size < 3


def test_visits_that_are_over_are_not_kept(shop):
    shop.take(shop.view())
    shop.wait(31 * 60)
    shop.take(shop.view(visit=BEN))
    assert shop.cache.size == 1


# What others do between two beacons


def forget(shop: WrittenSite) -> None:
    with writing(shop.engine) as db:
        ids = [visit.id for visit in visits_of_person(db, shop.site_id, [ANN])]
        forget_visits_of(db, shop.site_id, ids, from_milliseconds(shop.now))


def remove_and_add(shop: WrittenSite) -> None:
    """SQLite gives the new site the id of the old one."""
    with writing(shop.engine) as db:
        remove_site(db, "shop", "Shop", from_milliseconds(shop.now))
    after, is_last = "", False
    while not is_last:
        with writing(shop.engine) as db:
            is_last, after = delete_some(db, shop.site_id, 100, 100, after)
    shop.add()


def pass_retention(shop: WrittenSite) -> None:
    count_days(shop.engine, shop.now + DAY + MINUTE)
    assert forget_visits(shop.engine, shop.now + DAY + MINUTE, timedelta(days=1)).deleted > 0


def begin_chat(shop: WrittenSite, visit: str = ANN) -> str:
    """The id of a chat that the visitor begins; "" when they may not."""
    number = next(shop.names)
    with writing(shop.engine) as db:
        lock_site(db, shop.site_id)
        chat = open_as_visitor(
            db,
            site_id=shop.site_id,
            visit_id=visit,
            tab="",
            client_id=f"client{number}",
            text="Hello?",
            is_offered=True,
            is_attended=True,
            now=from_milliseconds(shop.now),
        )
    return "" if isinstance(chat, Refused) else chat.id


def chat(shop: WrittenSite) -> None:
    assert begin_chat(shop)


def answer_and_end(shop: WrittenSite) -> None:
    id = begin_chat(shop)
    shop.wait()
    for step in (say, close):
        with writing(shop.engine) as db:
            lock_site(db, shop.site_id)
            found = find_conversation(db, shop.site_id, id)
            assert found is not None
            step(db, found, from_milliseconds(shop.now))


def say(db: Any, found: Conversation, now: Any) -> None:
    client = f"agent{found.message_count}"
    send_as_agent(db, found, agent_id=1, client_id=client, text="Yes?", now=now)


def close(db: Any, found: Conversation, now: Any) -> None:
    end(db, found, ClosedBy.AGENT, now)


def set_back(shop: WrittenSite) -> None:
    """The clock has been ahead for 10 hours; only a visitor who is gone was there."""
    ahead, shop.now = shop.now, shop.now - 600 * MINUTE
    assert set_back_visits(shop.engine, shop.now) > 0
    assert shop.now < ahead


def jump_back(shop: WrittenSite) -> None:
    shop.now -= 600 * MINUTE


def write_by_another(shop: WrittenSite) -> None:
    """A second collector takes a beacon of the visit."""
    shop.take(shop.view(2, "/second"), cache=VisitCache())


def write_by_two_others(shop: WrittenSite) -> None:
    """It has the visit in its memory, too, and so has a third."""
    others = [VisitCache(), VisitCache()]
    for number in range(2, 8):
        shop.take(shop.view(number, f"/{number}"), cache=others[number % 2])
        shop.wait()


def die_before_commit(shop: WrittenSite) -> None:
    commit = shop.engine.dialect.do_commit

    def refuse(_connection: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("killed"))

    fail_once(shop, "do_commit", refuse)
    assert shop.engine.dialect.do_commit == commit


def die_after_commit(shop: WrittenSite) -> None:
    commit = shop.engine.dialect.do_commit

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        raise OperationalError("COMMIT", None, Exception("server closed the connection"))

    fail_once(shop, "do_commit", commit_and_lose)


def not_begin(shop: WrittenSite) -> None:
    def refuse(_connection: Any) -> None:
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    event.listen(shop.engine, "begin", refuse, insert=True)
    with pytest.raises(OperationalError):
        shop.take(shop.view(2, "/lost"))
    event.remove(shop.engine, "begin", refuse)


def fail_once(shop: WrittenSite, name: str, fail: Callable[[Any], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.engine.dialect, name, fail)
        with pytest.raises(OperationalError):
            shop.take(shop.view(2, "/lost"))
        shop.engine.dispose()


def fail_in_the_middle(shop: WrittenSite) -> None:
    """A hit that no transaction bears, after one that has changed the visit in memory."""
    bad = Hit(
        shop.site_id, ("bad0000000000000",), False, "tab1", shop.now, shop.view().events, None
    )
    with pytest.raises(ValueError, match="no opening"):
        shop.take(shop.view(2, "/lost"), bad)


OTHERS = [
    forget,
    remove_and_add,
    pass_retention,
    chat,
    answer_and_end,
    set_back,
    jump_back,
    write_by_another,
    write_by_two_others,
    die_before_commit,
    die_after_commit,
    not_begin,
    fail_in_the_middle,
]


def tell(shop: WrittenSite, other: Callable[[WrittenSite], None]) -> list[Any]:
    """A visitor's beacons, with what others do between them."""
    results = shop.take(shop.view(1, "/%D1%87%D0%B0%D0%B9"), shop.view(visit=BEN))
    shop.wait()
    results += shop.take(shop.stay(2, "/%D1%87%D0%B0%D0%B9"))
    other(shop)
    shop.wait()
    results += shop.take(shop.stay(8), shop.stay(2, visit=BEN))
    results += shop.take(shop.view(9, "/cart"), shop.view(9, "/cart", visit=BEN))
    shop.wait()
    results += shop.take(shop.stay(10, "/cart"), shop.view(1, "/", tab="tab2", visit=BEN))
    return results


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.__name__)
def test_what_others_do_between_two_beacons_is_never_missed(make_shop, other):
    remembering, forgetful = make_shop(remembers=True), make_shop(remembers=False)
    assert tell(remembering, other) == tell(forgetful, other)
    assert remembering.rows() == forgetful.rows()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_database_that_is_restored_under_the_open_file_is_read_again(make_shop, tmp_path):
    def restore(shop: WrittenSite) -> None:
        file = tmp_path / f"{next(_numbers)}.copy"
        copy_database(shop.engine, file)
        shop.take(shop.view(3, "/undone"), shop.view(visit="new0000000000000"))
        other = open_database(str(shop.engine.url))
        overwrite_database(other, file)
        other.dispose()

    remembering, forgetful = make_shop(remembers=True), make_shop(remembers=False)
    assert tell(remembering, restore) == tell(forgetful, restore)
    assert remembering.rows() == forgetful.rows()


def test_visit_that_was_deleted_behind_its_back_is_read_again_with_the_next_beacon(shop):
    shop.take(shop.view())
    with writing(shop.engine) as db:
        db.execute(delete(Visit))  # by hand, and visit_edit is left as it was
    with pytest.raises(StaleVisits) as raised:
        shop.take(shop.view(2, "/again"))
    assert is_of_the_database(raised.value)  # answered 503, so it comes again
    [result] = shop.take(shop.view(2, "/again"))
    assert isinstance(result, Accepted)
    assert [row[1] for row in shop.rows()["visit"]] == [ANN]
    unsaid_edits.clear()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))]
)
def test_random_days_are_stored_alike(make_shop, seed):
    def live(shop: WrittenSite) -> list[Any]:
        chance = random.Random(seed)
        results: list[Any] = []
        for _ in range(90):
            shop.now += chance.choice((0, 1, 15, 60, 100, 1_900)) * SECOND
            results += shop.take(*(random_hit(shop, chance) for _ in range(chance.randrange(1, 6))))
            if chance.random() < 0.2:
                visit = chance.choice(VISITORS)
                chance.choice(SUDDEN)(shop, visit)
        return results

    remembering, forgetful = make_shop(remembers=True), make_shop(remembers=False)
    assert live(remembering) == live(forgetful)
    assert remembering.rows() == forgetful.rows()


VISITORS = [f"visitor{number:09d}" for number in range(4)]


def random_hit(shop: WrittenSite, chance: random.Random) -> Hit:
    number = chance.randrange(1, 60)
    events = tuple(random_event(shop, chance, number + ordinal) for ordinal in range(2))
    tab = f"tab{chance.randrange(20)}"
    return shop.hit(*events[: chance.randrange(1, 3)], visit=chance.choice(VISITORS), tab=tab)


def random_event(shop: WrittenSite, chance: random.Random, number: int) -> Event:
    kind = chance.choice(TYPES)
    at = shop.now - chance.choice((0, 0, 2, 300)) * SECOND
    return Event(
        kind=kind,
        number=number,
        at=at,
        active_at=at - chance.choice((0, 5, 400)) * SECOND,
        path=chance.choice(("/", "/cart", "/tea")),
        title=chance.choice(("", "Tea")),
        context=chance.choice(("", "Cart")),
        focused=chance.random() < 0.5,
        page=chance.choice((0, 0, number - 1)),
        chat=chance.choice(list(ChatReport)) if kind is EventKind.CHAT else None,
        attributes={"name": chance.choice("ab")} if kind is EventKind.IDENTIFY else None,
        cart=Cart(chance.choice((0.0, 12.3)), "EUR") if chance.random() < 0.2 else None,
    )


def chat_of(shop: WrittenSite, visit: str) -> None:
    begin_chat(shop, visit)


def forget_one(shop: WrittenSite, visit: str) -> None:
    with writing(shop.engine) as db:
        forget_visits_of(db, shop.site_id, [visit], from_milliseconds(shop.now))


def second_collector(shop: WrittenSite, visit: str) -> None:
    shop.take(shop.view(next(shop.names), "/second", visit=visit), cache=VisitCache())


def lost_batch(shop: WrittenSite, visit: str) -> None:
    bad = Hit(shop.site_id, ("bad0000000000000",), False, "t", shop.now, shop.view().events, None)
    with pytest.raises(ValueError, match="no opening"):
        shop.take(shop.view(next(shop.names), "/lost", visit=visit), bad)


SUDDEN = [chat_of, chat_of, forget_one, second_collector, lost_batch]
