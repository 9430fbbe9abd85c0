"""The schema's version: made by the collector, checked by everybody else."""

import pytest
from sqlalchemy import inspect

from core.database import open_database, writing
from core.schema import SchemaError, check_schema, upgrade_schema
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
