"""Reads that go to a real streaming replica, and those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, make_url, text

from core import deadline, replica
from core.database import open_database, writing
from core.deadline import read, read_replica, replica_state, write
from core.health.replica_rules import FAR_BEHIND
from core.moment import utc_now
from core.replica import ReplicaFault
from core.schema import head_revision
from core.sites import add_site, list_sites
from tests.helpers.postgres_replica import PostgresReplica, postgres_replica, reads_from
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.running_collector import wait_for


@pytest.fixture(scope="module")
def standby(postgres: PostgresServer, postgres_template: str) -> Iterator[PostgresReplica]:
    """One for the whole file: each test leaves it following."""
    with postgres_replica(postgres) as running:
        yield running


@pytest.fixture
def primary(postgres_url: str) -> Iterator[Engine]:
    """As another process writes."""
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def dashboard(
    standby: PostgresReplica, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A dashboard that reads the replica."""
    wait_for(lambda: standby.has(make_url(postgres_url).database or ""))
    with reads_from(standby.url(postgres_url), postgres_url, monkeypatch):
        wait_for(reads_replica)
        yield
        standby.resume()


def is_replica(db: Connection) -> bool:
    return db.execute(text("SELECT pg_is_in_recovery()")).scalar_one()


def reads_replica() -> bool:
    return read_replica(is_replica)


def add(db: Connection, key: str) -> None:
    add_site(db, name=key.title(), key=key, now=utc_now())


def keys(db: Connection) -> list[str]:
    return [site.key for site in list_sites(db)]


def test_pages_read_the_replica_and_all_else_the_primary(dashboard: None) -> None:
    assert reads_replica()
    assert not read(is_replica)
    assert not write(is_replica)


def test_what_was_written_here_is_read_back_at_once(
    dashboard: None, standby: PostgresReplica
) -> None:
    standby.pause()
    write(lambda db: add(db, "tea"))
    for _ in range(3):
        assert read_replica(keys) == ["tea"]
    assert not reads_replica()
    standby.resume()
    wait_for(reads_replica)
    assert read_replica(lambda db: (is_replica(db), keys(db))) == (True, ["tea"])


def test_read_after_each_of_many_writes_has_it(dashboard: None) -> None:
    for number in range(100):
        write(lambda db, key=f"shop-{number}": add(db, key))
        assert len(read_replica(keys)) == number + 1


def test_replica_is_asked_again_for_what_it_has_not_yet(dashboard: None) -> None:
    looks: list[bool] = []

    def comes_second(db: Connection) -> bool:
        looks.append(is_replica(db))
        return len(looks) > 1

    assert read_replica(is_replica, comes_second)
    assert looks == [True, True]


def test_primary_answers_what_the_replica_does_not_get(
    dashboard: None, standby: PostgresReplica, primary: Engine
) -> None:
    standby.pause()
    with writing(primary) as db:
        add(db, "tea")
    assert read_replica(keys, lambda db: keys(db) == ["tea"]) == ["tea"]


def test_replica_that_is_behind_is_not_read_and_says_for_how_long(
    dashboard: None,
    standby: PostgresReplica,
    primary: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica, "MOST_BEHIND", 0.5)
    standby.pause()
    with writing(primary) as db:
        add(db, "tea")
    wait_for(lambda: not reads_replica())
    assert read_replica(keys) == ["tea"]
    wait_for(lambda: behind() > 1)
    state = replica_state()
    assert state is not None and state.fault is None
    standby.resume()
    wait_for(lambda: reads_replica() and behind() < 1)


def behind() -> float:
    reads_replica()
    state = replica_state()
    return state.behind.total_seconds() if state and state.behind is not None else 0.0


def test_idle_primary_leaves_no_replica_behind(dashboard: None) -> None:
    Event().wait(3)
    assert behind() < FAR_BEHIND.total_seconds() / 10
    assert reads_replica()


def test_replica_that_ends_is_told_and_read_again_by_itself(
    dashboard: None, standby: PostgresReplica
) -> None:
    standby.stop()
    try:
        assert not reads_replica()
        wait_for(lambda: fault_is(ReplicaFault.AWAY))
    finally:
        standby.start()
    wait_for(reads_replica, 30)
    assert fault_is(None)


def test_replica_that_nobody_has_read_for_a_while_is_read_again(
    dashboard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.database_watch.RESTS_AFTER", 0.1)
    there = deadline._replica()
    assert there is not None
    wait_for(lambda: not there.is_known)
    wait_for(reads_replica)


def test_replica_that_hangs_holds_up_no_page(dashboard: None, standby: PostgresReplica) -> None:
    with standby.frozen():
        assert not reads_replica()
        wait_for(lambda: fault_is(ReplicaFault.AWAY))
        assert not reads_replica()
    wait_for(reads_replica)


def fault_is(fault: ReplicaFault | None) -> bool:
    reads_replica()
    state = replica_state()
    return state is not None and state.fault is fault


def test_question_that_fails_there_is_answered_by_the_primary(dashboard: None) -> None:
    def writes_by_mistake(db: Connection) -> bool:
        db.execute(text("CREATE TEMPORARY TABLE scratch (id int)"))
        return is_replica(db)

    assert not read_replica(writes_by_mistake)
    wait_for(reads_replica)


def test_fault_of_the_question_itself_is_no_fault_of_the_replica(dashboard: None) -> None:
    with pytest.raises(ZeroDivisionError):
        read_replica(lambda _: 1 / 0)
    assert reads_replica()


@pytest.mark.parametrize("changed", ["another database", "another server"])
def test_database_that_does_not_follow_is_not_read(
    changed: str,
    standby: PostgresReplica,
    postgres: PostgresServer,
    postgres_template: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgres.url(postgres_template)
    if changed == "another database":
        url = standby.url(url)
    with reads_from(url, postgres_url, monkeypatch):
        wait_for(lambda: fault_is(ReplicaFault.NO_REPLICA))
        assert not reads_replica()
    # A template with a connection cannot be copied.
    wait_for(lambda: not connected(postgres, postgres_template))


def connected(postgres: PostgresServer, database: str) -> int:
    engine = open_database(postgres.url("postgres"))
    with engine.connect() as db:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = :name"
        found = db.execute(text(query), {"name": database}).scalar_one()
    engine.dispose()
    return found


def test_user_needs_to_read_only_and_to_be_let_see_what_follows_what(
    standby: PostgresReplica,
    primary: Engine,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_owner = make_url(postgres_url)
    url = as_owner.set(username="reader").render_as_string(hide_password=False)
    with writing(primary) as db:
        db.execute(text("CREATE ROLE reader LOGIN"))
        db.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    try:
        with reads_from(standby.url(url), url, monkeypatch):
            wait_for(lambda: standby.has(as_owner.database or ""))
            wait_for(reads_replica)
            with writing(primary) as db:
                db.execute(text("REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC"))
            wait_for(lambda: fault_is(ReplicaFault.NO_REPLICA))
            assert not reads_replica()
    finally:
        with writing(primary) as db:
            db.execute(text("DROP OWNED BY reader"))
            db.execute(text("DROP ROLE reader"))


def test_replica_of_another_schema_is_not_read_until_it_has_followed(
    standby: PostgresReplica,
    primary: Engine,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait_for(lambda: standby.has(make_url(postgres_url).database or ""))
    set_revision(primary, "0001")
    follower = open_database(standby.url(postgres_url))
    wait_for(lambda: revision(follower) == "0001")
    standby.pause()
    try:
        set_revision(primary, head_revision())
        with reads_from(standby.url(postgres_url), postgres_url, monkeypatch):
            wait_for(lambda: fault_is(ReplicaFault.OTHER_SCHEMA))
            assert not reads_replica()
            standby.resume()
            wait_for(reads_replica)
    finally:
        standby.resume()
        follower.dispose()


def set_revision(engine: Engine, to: str) -> None:
    with writing(engine) as db:
        db.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": to})


def revision(engine: Engine) -> str:
    with engine.connect() as db:
        return db.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def test_promoted_replica_is_not_read(
    postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        postgres_replica(postgres) as own,
        reads_from(own.url(postgres_url), postgres_url, monkeypatch),
    ):
        wait_for(reads_replica)
        own.promote()
        wait_for(lambda: fault_is(ReplicaFault.NO_REPLICA))
        assert not reads_replica()
