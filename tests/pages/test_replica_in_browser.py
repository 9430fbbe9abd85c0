"""A dashboard that reads a streaming replica, in a browser: docs/postgres.md."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, make_url

from core.database import open_database, writing
from core.health.replica_rules import FAR_BEHIND
from core.site_changes import note_changes
from core.tables import Agent, Site
from tests.helpers.agent_browsers import (  # noqa: F401
    OpenChats,
    agent,
    field,
    log,
    new_context,
    open_chats,
    open_conversation,
    visit,
)
from tests.helpers.dashboard_chats import now, visitor_opens
from tests.helpers.live_page import refresh_every, rows
from tests.helpers.postgres_replica import PostgresReplica, postgres_replica
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_site, make_visit

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
DATABASE = "replicated"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of the primary's."""
    postgres.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {postgres_template}")
    yield postgres.url(DATABASE)
    postgres.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def engine(database: str) -> Iterator[Engine]:
    """As other processes write, into the primary."""
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def site(engine: Engine) -> Site:
    return make_site(engine, key="tea", name="Tea shop")


@pytest.fixture(scope="module")
def running_replica(postgres: PostgresServer, database: str) -> Iterator[PostgresReplica]:
    with postgres_replica(postgres) as running:
        wait_for(lambda: running.has(DATABASE))
        yield running


@pytest.fixture
def standby(running_replica: PostgresReplica) -> Iterator[PostgresReplica]:
    """Each test leaves it following."""
    yield running_replica
    running_replica.resume()


@pytest.fixture(scope="module")
def dashboard(running_replica: PostgresReplica, database: str, site: Site) -> Iterator[str]:
    replica = running_replica.url(database)
    with running_dashboard(database, MONITOR_READ_DATABASE_URL=replica) as address:
        yield address


def come(engine: Engine, site: Site, visit: str, **values: Any) -> None:
    """A visitor comes, and pages are told, as the collector does it."""
    make_visit(engine, site, visit, now=now(), **values)
    with writing(engine) as db:
        note_changes(db, [site.id or 0])


def looked_up(server_url: str) -> int:
    """How often this server has looked into the table of visits."""
    url = make_url(server_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as db:
        row = db.execute(
            "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'visit'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def row(page: Page, path: str) -> Any:
    return rows(page).get_by_text(path, exact=True)


def test_live_page_shows_the_visitors_of_the_replica(
    open_chats: OpenChats,
    engine: Engine,
    site: Site,
    agent: Agent,
    visit: str,
    database: str,
    standby: PostgresReplica,
) -> None:
    come(engine, site, visit, current_path="/oolong")
    page = open_chats(agent, "?site=tea")
    expect(row(page, "/oolong")).to_be_visible()
    refresh_every(page, "2 s")
    replica = standby.url(database)
    before = looked_up(replica)
    wait_for(lambda: looked_up(replica) > before, 60)
    come(engine, site, f"{visit}b", current_path="/sencha")
    expect(row(page, "/sencha")).to_be_visible()


def test_live_page_goes_on_while_the_replica_stands_still(
    open_chats: OpenChats,
    engine: Engine,
    site: Site,
    agent: Agent,
    visit: str,
    standby: PostgresReplica,
) -> None:
    page = open_chats(agent, "?site=tea")
    expect(page.get_by_text("Online Now")).to_be_visible()
    standby.pause()
    come(engine, site, visit, current_path="/while-it-stands")
    expect(row(page, "/while-it-stands")).to_be_visible()


def test_agents_new_name_and_message_are_read_back_at_once(
    open_chats: OpenChats,
    engine: Engine,
    site: Site,
    agent: Agent,
    visit: str,
    standby: PostgresReplica,
) -> None:
    visitor_opens(engine, site, visit, attributes={"name": "Ada"})
    page = open_chats(agent)
    open_conversation(page, "Ada")
    standby.pause()
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Your name").fill("Annabel")
    page.get_by_role("button", name="Save name").click()
    expect(page.locator(".agent-name")).to_have_text("Annabel")
    field(page).fill("It ships today.")
    field(page).press("Enter")
    expect(log(page).get_by_text("It ships today.", exact=True)).to_be_visible()
    # Another page of another browser, which has nothing of it but what is stored.
    other = open_chats(agent, f"visitor?site=tea&visit={visit}")
    expect(other.get_by_text("It ships today.").first).to_be_visible()
    expect(other.locator(".agent-name")).to_have_text("Annabel")


@pytest.mark.long
def test_health_says_how_far_the_replica_is_behind(
    open_chats: OpenChats,
    engine: Engine,
    site: Site,
    agent: Agent,
    visit: str,
    standby: PostgresReplica,
) -> None:
    page = open_chats(agent, "health")
    expect(page.get_by_text("Has everything")).to_be_visible()
    standby.pause()
    come(engine, site, visit)
    expect(page.get_by_text(re.compile(r"^\d+s behind$"))).to_be_visible()
    warning = page.get_by_text(re.compile(r"The replica is \d+s behind, so pages read the primary"))
    expect(warning).to_be_visible(timeout=6 * FAR_BEHIND.total_seconds() * 1000)
    standby.resume()
    expect(page.get_by_text("Has everything")).to_be_visible()
    expect(warning).to_have_count(0)
