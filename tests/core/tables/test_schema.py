"""The schema's version: made by the collector, checked by everybody else."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from core.accounts.access import read_access
from core.accounts.accounts import list_accounts, set_account
from core.accounts.identity import Role
from core.accounts.sessions import Way, begin_session
from core.agents import find_agent
from core.database import open_database, reading, writing
from core.enrich.page_context import ContextRule, PageContext
from core.schema import SchemaError, check_schema, upgrade_schema
from core.sites import list_sites
from core.tables import Table
from core.upgrade import upgrade_database
from tests.helpers.old_schema import downgrade, load_released, make_first_version, upgrade
from tests.helpers.stored_texts import every_text


@pytest.fixture
def database(bare_database_url):
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


def test_fresh_database_gets_every_table(database):
    upgrade_schema(database)

    assert set(inspect(database).get_table_names()) == {*Table.metadata.tables, "alembic_version"}
    check_schema(database)


def test_second_upgrade_changes_nothing(database):
    upgrade_schema(database)
    with writing(database) as connection:
        connection.exec_driver_sql("INSERT INTO salt (day, value) VALUES ('2026-11-22', 'x')")

    upgrade_schema(database)

    check_schema(database)
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT value FROM salt").scalar_one() == "x"


def test_database_without_tables_is_refused_with_the_command_that_makes_them(database):
    with pytest.raises(SchemaError, match=r"no tables yet.*python -m collector"):
        check_schema(database)


@pytest.mark.parametrize("look", [check_schema, upgrade_schema])
def test_database_of_a_newer_version_is_refused_and_left_alone(database, look):
    upgrade_schema(database)
    with writing(database) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaError, match=r"newer version \(9999\)"):
        look(database)
    with database.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        assert version.scalar_one() == "9999"


def test_failed_upgrade_leaves_nothing_behind(database):
    with writing(database) as connection:
        connection.exec_driver_sql("CREATE TABLE salt (day VARCHAR PRIMARY KEY)")

    with pytest.raises(Exception, match="salt"):
        upgrade_schema(database)

    assert inspect(database).get_table_names() == ["salt"]


SLOW_INDEX = (
    "CREATE FUNCTION dawdle() RETURNS event_trigger LANGUAGE plpgsql"
    " AS $$ BEGIN PERFORM pg_sleep(1); END $$",
    "CREATE EVENT TRIGGER dawdle ON ddl_command_end WHEN TAG IN ('CREATE INDEX')"
    " EXECUTE FUNCTION dawdle()",
)


@pytest.mark.long
def test_upgrade_takes_longer_than_a_statement_may(postgres_url, monkeypatch):
    database = open_database(postgres_url)
    with writing(database) as connection:
        downgrade(connection, "0004")
        for statement in SLOW_INDEX:
            connection.exec_driver_sql(statement)
    monkeypatch.setattr("core.postgres.STATEMENT_TIMEOUT", 0.5)

    upgrade_schema(database)

    check_schema(database)
    with writing(database) as connection, pytest.raises(OperationalError, match="timeout"):
        connection.exec_driver_sql("SELECT pg_sleep(1)")
    database.dispose()


def test_upgrade_keeps_what_others_have_made_of_the_views(postgres_url):
    """As docs/schema.md has them do it: a program is granted the views, and may have views of its own."""
    database = open_database(postgres_url)
    with writing(database) as connection:
        downgrade(connection, "0012")
        connection.exec_driver_sql("GRANT SELECT ON visit_change TO PUBLIC")
        connection.exec_driver_sql("CREATE VIEW own_view AS SELECT kind FROM visit_change")

    upgrade_schema(database)

    granted = "SELECT has_table_privilege('public', 'visit_change', 'SELECT')"
    with reading(database) as connection:
        assert connection.exec_driver_sql(granted).scalar_one()
        connection.exec_driver_sql("SELECT kind FROM own_view").all()
    database.dispose()


def test_database_of_the_first_version_keeps_its_rows(database):
    with writing(database) as connection:
        make_first_version(connection)
    with pytest.raises(SchemaError, match=r"older version.*python -m collector"):
        check_schema(database)

    upgrade_schema(database)

    check_schema(database)
    assert set(inspect(database).get_table_names()) == {*Table.metadata.tables, "alembic_version"}
    with reading(database) as connection:
        (site,) = list_sites(connection)
        assert (site.id, site.key, site.chat_button) == (7, "shop", False)
        assert site.rules() == (ContextRule("/чай/*", PageContext.PRODUCT),)
        counted = connection.execute(text("SELECT starts_at, visits FROM visit_count")).one()
        assert tuple(counted) == (900_000, 3)


AGENT_COLUMNS = "id, key, name, is_available, seen_at, created_at"


def _add_agents(connection, *keys):
    for number, key in enumerate(keys, 1):
        row = f"({number}, '{key}', 'Ann', true, 1000, 1000)"
        connection.exec_driver_sql(f"INSERT INTO agent ({AGENT_COLUMNS}) VALUES {row}")


def test_agents_of_before_are_no_accounts_and_survive_the_way_up_and_down(database):
    columns = AGENT_COLUMNS.replace(" key,", "")
    with writing(database) as connection:
        upgrade(connection, "0005")
        _add_agents(connection, "key1", "key2")
        before = connection.exec_driver_sql(f"SELECT {columns} FROM agent ORDER BY id").all()

    upgrade_schema(database)
    with writing(database) as connection:
        now = datetime(2026, 11, 29, tzinfo=UTC)
        assert list_accounts(connection) == []
        assert not read_access(connection, now).has_accounts
        set_account(connection, 2, email="ann@shop.example", role=Role.ADMIN)
        begin_session(connection, 2, Way.PASSWORD, "Chrome", now)
        assert [account.id for account in list_accounts(connection)] == [2]

    with writing(database) as connection:
        downgrade(connection, "0005")
        after = connection.exec_driver_sql(f"SELECT {columns} FROM agent ORDER BY id").all()
    assert after == before
    upgrade_schema(database)
    with reading(database) as connection:
        assert list_accounts(connection) == []


def _stored_chats(connection, columns="*"):
    rows = connection.exec_driver_sql(f"SELECT {columns} FROM conversation ORDER BY site_id, id")
    return [dict(row) for row in rows.mappings()]


def test_left_messages_of_before_that_were_read_are_done_and_chats_survive_the_way_up_and_down(
    database,
):
    with writing(database) as connection:
        load_released(connection, "0011")
        for id, read in ((1, 1), (2, 0)):
            connection.exec_driver_sql(
                f"UPDATE conversation SET state = 'left', agent_read = {read} WHERE site_id = {id}"
            )
        before = _stored_chats(connection)

    upgrade_database(database, datetime(2026, 11, 30, tzinfo=UTC))
    with writing(database) as connection:
        done = {row["site_id"]: row["done_at"] for row in _stored_chats(connection)}
        assert done == {1: before[0]["closed_at"], 2: None}
        defaults = _stored_chats(connection, "email, vacated_at, note_count, rating, rating_text")
        assert defaults[0] == {
            "email": "",
            "vacated_at": None,
            "note_count": 0,
            "rating": "",
            "rating_text": "",
        }
        downgrade(connection, "0011")
        assert _stored_chats(connection) == before


def test_browsers_of_before_stay_their_agents_and_their_secrets_are_gone(database):
    secrets = ("a" * 40, "b" * 40)
    with writing(database) as connection:
        upgrade(connection, "0006")
        _add_agents(connection, *secrets)

    upgrade_schema(database)

    with reading(database) as connection:
        found = [find_agent(connection, secret) for secret in secrets]
        assert [agent and agent.id for agent in found] == [1, 2]
    assert not every_text(database, "agent") & set(secrets)
