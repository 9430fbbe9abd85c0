"""The schema's version: made by the collector, checked by everybody else."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

import core
from core.database import open_database, reading, writing
from core.enrich.page_context import ContextRule, PageContext
from core.schema import SchemaError, check_schema, upgrade_schema
from core.sites import list_sites
from core.tables import Table


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


OLD_ROWS = (
    "INSERT INTO site (id, key, name, domains, accepts_null_origin, time_zone, tracking_enabled,"
    " context_rules, created_at) VALUES (7, 'shop', 'Shop', '[]', false, 'UTC', true,"
    """ '[{"pattern":"/%D1%87%D0%B0%D0%B9/*","context":"Product"}]', 1)""",
    "INSERT INTO visit_count (site_id, starts_at, visits) VALUES (7, 900000, 3)",
    "INSERT INTO salt (day, value) VALUES ('2026-11-22', 'x')",
)


def test_database_of_the_first_version_keeps_its_rows(database):
    config = Config()
    config.set_main_option("script_location", str(Path(core.__file__).parent / "migrations"))
    with writing(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in OLD_ROWS:
            connection.execute(text(row))
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
