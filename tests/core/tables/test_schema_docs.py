"""docs/schema.md says what the tables are, and its examples run."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from core.chat.states import Author, ConversationState
from core.database import open_database, reading, writing
from core.enrich.source_table import SourceKind
from core.frames import picture_at
from core.moment import to_milliseconds
from core.reasons import Reason
from core.settings import settings
from core.tables import Moment, PageView, Table, View
from core.visits.presence import CHATTING_FOR, ChangeKind, SpanKind

DOCS = (Path(__file__).parents[3] / "docs" / "schema.md").read_text()
TABLES = {**Table.metadata.tables, **View.metadata.tables}
SQL = re.findall(r"```sql\n(.*?);\n```", DOCS, re.DOTALL)
GRANTS, CLEAN_COPY = re.findall(r"```\n((?:GRANT|PRAGMA) .*?)```", DOCS, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


def section(table):
    (found,) = re.findall(rf"^### {table}\n(.*?)(?=^##)", DOCS, re.DOTALL | re.MULTILINE)
    return found


SECRETS = {
    "agent": {"key", "password", "subject"},
    "session": {"id"},
    "sign_in_link": {"id"},
    "secret": {"value"},
    "salt": {"value"},
    "conversation": {"token"},
    "notice_address": {"url"},
    "mail_server": {"username", "password"},
}
"""What signs somebody in, makes them an agent or a visitor, or tells who was who."""


@pytest.fixture
def shop(store, site, make_visit, now):
    store(
        site,
        make_visit("1", source="Google", chat_source="built_in", chat_message_at=now),
        make_visit("2", source="Direct", page_count=3),
        make_visit("3", source="Direct", in_view_until=now),
        make_visit(
            "4", chat_source="built_in", chat_message_at=now - CHATTING_FOR, in_view_until=now
        ),
        PageView(
            site_id=7,
            visit_id="2",
            tab=1,
            number=1,
            viewed_at=now,
            path="/",
            page_context="In Checkout",
        ),
    )
    return site


def test_migrated_database_is_the_models(database):
    with reading(database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_every_table_is_documented_and_no_other():
    tables = DOCS.split("\n## Tables\n")[1].split("\n## ")[0]

    assert set(re.findall(r"^### (\w+)$", tables, re.MULTILINE)) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_table_is_documented_in_its_order(table):
    documented = re.findall(r"^\| `(\w+)` \|", section(table), re.MULTILINE)

    assert documented == [column.name for column in TABLES[table].columns]


@pytest.mark.parametrize("table", TABLES)
def test_keys_moments_and_nulls_are_documented(table):
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section(table), re.MULTILINE)

    for name, kind in rows:
        column = TABLES[table].columns[name]
        assert ("key" in kind.split(", ")) is column.primary_key, name
        assert ("moment" in kind) is isinstance(column.type, Moment), name
        assert ("NULL" in kind) is bool(column.nullable), name


@pytest.mark.parametrize(
    "name", sorted(str(index.name) for table in TABLES.values() for index in table.indexes)
)
def test_every_index_is_documented(name):
    assert f"`{name}`" in DOCS


def test_fixed_words_of_columns_are_documented():
    counted = {reason for reason in Reason if reason.owner_text}
    assert set(re.findall(r"`(\w+)`", section("drop_count").split("Reasons:")[1])) == counted
    assert ", ".join(SourceKind) in section("visit")


def test_accounting_names_only_columns_that_exist():
    accounting = DOCS.split("\n## The accounting\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", accounting, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    values = {"built_in", "third_party", "name", "email"}
    values |= {*ConversationState, *Author, *SpanKind, *ChangeKind}

    columns = {column.name for table in TABLES.values() for column in table.columns}
    assert named - values <= columns | set(TABLES)


def test_reader_of_the_example_reads_no_secret(postgres_url):
    engine = open_database(postgres_url)
    with writing(engine) as db:
        db.exec_driver_sql("CREATE ROLE reader")
        db.exec_driver_sql(GRANTS)
        readable = db.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.column_privileges"
                " WHERE grantee = 'reader' AND privilege_type = 'SELECT'"
            )
        ).all()
        db.exec_driver_sql("DROP OWNED BY reader; DROP ROLE reader")
    engine.dispose()

    assert ("agent", "name") in readable
    assert [each for each in readable if each[1] in SECRETS.get(each[0], ())] == []


def test_copy_of_a_file_that_was_made_to_be_given_away_holds_no_secret(sqlite_url):
    file = sqlite_url.removeprefix("sqlite:///")
    planted = {f"{table}-{column}-4711" for table, columns in SECRETS.items() for column in columns}
    with closing(sqlite3.connect(file)) as db:
        for name, columns in SECRETS.items():
            row = {
                column.name: f"{name}-{column.name}-4711" if column.name in columns else 0
                for column in TABLES[name].columns
            }
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", [*row.values()])
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert left_in(file, planted) == planted

    with closing(sqlite3.connect(file)) as db:
        db.executescript(CLEAN_COPY)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert db.execute("SELECT name FROM agent").fetchone() is not None
    assert left_in(file, planted) == set()


def left_in(file, texts):
    content = Path(file).read_bytes()
    return {each for each in texts if each.encode() in content}


@pytest.mark.parametrize("example", SQL, ids=lambda sql: sql.split("\n")[0])
def test_sql_example_runs_on_both_databases(database, shop, now, example):
    with reading(database) as connection:
        rows = connection.execute(text(example), {"site": shop.id, "now": to_milliseconds(now)})
        assert rows.keys()


def test_sql_example_counts_what_the_cards_say(database, shop, now):
    with reading(database) as connection:
        counted = connection.execute(
            text(SQL[0]), {"site": shop.id, "now": to_milliseconds(now)}
        ).one()
        cards = picture_at(connection, [shop], now, now).cards

    assert counted == (cards.online, cards.in_view, cards.chatting) == (4, 2, 1)


@pytest.mark.parametrize("example", PYTHON, ids=["picture", "own frame"])
def test_pandas_example_runs_on_both_databases(database_url, shop, monkeypatch, example):
    monkeypatch.setenv("MONITOR_DATABASE_URL", database_url)
    settings.cache_clear()
    try:
        exec(compile(example, "docs/schema.md", "exec"), {})
    finally:
        settings.cache_clear()
