"""python -m core agent, as the owner runs it."""

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.accounts.access import read_access
from core.accounts.accounts import add_account, find_by_email, list_accounts
from core.accounts.identity import Role
from core.accounts.links import find_link
from core.accounts.passwords import is_password
from core.accounts.sessions import Way, begin_session
from core.agents import add_agent, list_agents
from core.database import open_database, reading, writing

ROOT = Path(__file__).parents[3]
PASSWORD = "lantern-orbit"
ADMIN = ("agent", "add", "Ann", "--email", "ann@shop.example", "--role", "admin")
FIRST = "From now on everybody has to sign in to the dashboard, on this machine too: "
NO_ADMIN = "Nobody can set up sites and accounts in the dashboard until there is an admin: "
LINK = re.compile(r"^(\S+)/sign-in/link\?secret=(\S+)$", re.MULTILINE)
OF_AN_ISSUER = {
    "MONITOR_OIDC_ISSUER": "https://accounts.example",
    "MONITOR_OIDC_CLIENT_ID": "monitor",
    "MONITOR_OIDC_CLIENT_SECRET": "secret",
}


@pytest.fixture
def engine(sqlite_url):
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def ann(run):
    """The first account, an admin, whose number is 1."""
    assert run(*ADMIN, answer=f"{PASSWORD}\n{PASSWORD}\n").returncode == 0


def account_of(engine, email="ann@shop.example"):
    with reading(engine) as db:
        found = find_by_email(db, email)
    assert found is not None
    return found


def sign_in(engine, agent_id):
    with writing(engine) as db:
        begin_session(db, agent_id, Way.PASSWORD, "Chrome, Windows", datetime.now(UTC))


def signed_in(engine):
    with reading(engine) as db:
        return [each.agent_id for each in read_access(db, datetime.now(UTC)).sessions.values()]


def add_old_agent(engine, name="Bob"):
    with writing(engine) as db:
        return add_agent(db, name, datetime(2026, 11, 22, 12, 34, tzinfo=UTC)).id


def listed(done):
    """The list without its headings, its cells parted by two spaces or more."""
    return [re.split(r" {2,}", line) for line in done.stdout.splitlines()[1:]]


def test_first_account_is_added_with_a_password_that_is_typed_twice(run, engine):
    done = run(*ADMIN, answer=f"{PASSWORD}\n{PASSWORD}\n")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Added Ann as admin, with the number 1. In force within 5 seconds." in done.stdout
    assert f"{FIRST}http://localhost:8501/sign-in\n" in done.stdout
    assert NO_ADMIN not in done.stdout
    assert PASSWORD not in done.stdout
    account = account_of(engine)
    assert (account.role, account.site_ids) == (Role.ADMIN, None)
    assert is_password(account.agent.password, PASSWORD)


def test_first_account_that_is_no_admin_is_told_how_there_will_be_one(run):
    arguments = (*ADMIN[:-1], "viewer", "--link")
    done = run(*arguments)

    assert f"{NO_ADMIN}python -m core agent set 1 --role admin" in done.stdout
    done = run("agent", "set", "1", "--role", "admin")
    assert done.stdout == "Changed Ann. In force within 5 seconds.\n"


@pytest.mark.usefixtures("ann")
def test_next_account_is_not_the_first(run):
    done = run("agent", "add", "Bob", "--email", "bob@shop.example", "--role", "viewer", "--link")

    assert FIRST not in done.stdout
    assert NO_ADMIN not in done.stdout


@pytest.mark.parametrize("line", [PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\nmore\n"])
def test_password_is_the_first_line_that_is_read(run, engine, line):
    done = run(*ADMIN, "--password-stdin", answer=line)

    assert done.returncode == 0
    assert is_password(account_of(engine).agent.password, PASSWORD)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "too short"),
        ("short\n", "too short"),
        ("ann@shop.example\n", "everybody knows"),
        ("password123\n", "first that are tried"),
        ("x" * 100_000, "too long"),
        (b"lantern\xffor\xfebit\n", "no keyboard has"),
        ("lantern\0orbit\n", "no keyboard has"),
    ],
)
def test_bad_password_ends_the_command_in_one_line_and_adds_nobody(run, engine, line, expected):
    done = run(*ADMIN, "--password-stdin", answer=line)

    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    with reading(engine) as db:
        assert list_agents(db) == []


def test_passwords_that_differ_add_nobody(run, engine):
    done = run(*ADMIN, answer=f"{PASSWORD}\n{PASSWORD}x\n")

    assert done.returncode == 1
    assert done.stderr == "The two passwords differ: run the command again.\n"
    with reading(engine) as db:
        assert list_agents(db) == []


def test_password_is_not_shown_while_it_is_typed(sqlite_url, engine):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *ADMIN],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": sqlite_url},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    for prompt in (b"Password: ", b"again: "):
        while not screen.endswith(prompt):
            screen += os.read(ours, 1024)
        os.write(ours, PASSWORD.encode() + b"\n")
    assert process.wait(60) == 0
    screen += os.read(ours, 4096)
    os.close(ours)

    assert b"Added Ann as admin" in screen
    assert PASSWORD.encode() not in screen
    assert is_password(account_of(engine).agent.password, PASSWORD)


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "http://localhost:8501"),
        ({"STREAMLIT_SERVER_PORT": "8502"}, "http://localhost:8502"),
        ({"STREAMLIT_SERVER_BASE_URL_PATH": "/team/"}, "http://localhost:8501/team"),
        ({"MONITOR_DASHBOARD_URL": "https://shop.example/m/"}, "https://shop.example/m"),
    ],
)
def test_link_lets_them_set_the_password_themselves(run, engine, environment, address):
    done = run(*ADMIN, "--link", **environment)
    found = LINK.search(done.stdout)

    assert found is not None
    assert found[1] == address
    is_set = "MONITOR_DASHBOARD_URL" in environment
    assert ("Set MONITOR_DASHBOARD_URL" in done.stdout) is not is_set
    now = datetime.now(UTC)
    with reading(engine) as db:
        invited = find_link(db, found[2], now)
    assert invited is not None
    assert (invited.id, invited.agent.password) == (1, "")
    assert f"until {now + timedelta(days=3):%Y-%m-%d}" in done.stdout


@pytest.mark.usefixtures("ann")
def test_list_tells_who_can_sign_in_and_how(run, engine):
    bob = add_old_agent(engine)
    run("site", "add", "Tea shop", "--key", "tea")
    run("site", "add", "Cups", "--key", "cups")
    eve = ("agent", "add", "Eve", "--email", "eve@shop.example", "--role", "agent", "--link")
    run(*eve, "--site", "tea", "--site", "cups")
    sign_in(engine, 1)
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    done = run("agent", "list")

    assert re.split(r" {2,}", done.stdout.splitlines()[0]) == [
        *("ID", "NAME", "E-MAIL", "ROLE", "SITES", "SIGNS IN BY", "SESSIONS"),
        "LAST SEEN (UTC)",
    ]
    rows = listed(done)
    assert rows[0][:-1] == ["1", "Ann", "ann@shop.example", "admin", "all", "password", "1"]
    assert rows[0][-1].startswith(today)
    assert rows[1] == [
        *("3", "Eve", "eve@shop.example", "agent", "cups, tea", "link, not used yet", "0"),
        "never",
    ]
    assert rows[2] == [str(bob), "Bob", "no account", "2026-11-22 12:34"]


def test_list_without_an_account_says_how_to_make_one(run, engine):
    hint = "Nobody can sign in yet: python -m core agent add NAME --email E --role admin\n"
    assert run("agent", "list").stdout == hint

    add_old_agent(engine)
    assert run("agent", "list").stdout.endswith(hint)


def test_agent_of_before_becomes_the_first_account(run, engine):
    bob = add_old_agent(engine)

    refused = run("agent", "set", str(bob), "--role", "admin")
    assert refused.returncode == 1
    assert "an agent needs a role and an e-mail address" in refused.stderr
    done = run("agent", "set", str(bob), "--email", "bob@shop.example", "--role", "admin")

    assert FIRST in done.stdout
    assert f"They cannot sign in yet: python -m core agent reset {bob} --link" in done.stdout
    assert account_of(engine, "bob@shop.example").id == bob
    done = run("agent", "set", str(bob), "--role", "admin", **OF_AN_ISSUER)
    assert done.stdout == "Changed Bob. In force within 5 seconds.\n"


@pytest.mark.usefixtures("ann")
def test_set_changes_what_it_names_and_limits_to_sites(run, engine):
    run("site", "add", "Tea shop", "--key", "tea")
    run("site", "add", "Cups", "--key", "cups")
    with writing(engine) as db:
        add_account(db, "Bob", "bob@shop.example", Role.ADMIN, datetime.now(UTC))

    run("agent", "set", "1", "--site", "tea")
    limited = account_of(engine)
    run("agent", "set", "1", "--name", "Anna", "--email", "Anna@Shop.example")
    renamed = account_of(engine, "anna@shop.example")
    run("agent", "set", "1", "--site", "cups")
    moved = account_of(engine, "anna@shop.example")
    run("agent", "set", "1", "--all-sites")
    free = account_of(engine, "anna@shop.example")

    assert [each.site_ids for each in (limited, renamed, moved, free)] == [{1}, {1}, {2}, None]
    assert (renamed.agent.name, renamed.role) == ("Anna", Role.ADMIN)
    assert free.agent.password == limited.agent.password


@pytest.mark.usefixtures("ann")
def test_account_is_removed_once_it_is_confirmed(run, engine):
    sign_in(engine, 1)

    refused = run("agent", "remove", "1", answer="n\n")
    assert refused.returncode == 1
    assert signed_in(engine) == [1]
    done = run("agent", "remove", "1", answer="y\n")

    assert "Remove Ann (ann@shop.example)?" in done.stdout
    assert "Removed Ann. In force within 5 seconds." in done.stdout
    assert "the dashboard serves this machine only, and asks nobody" in done.stdout
    assert signed_in(engine) == []
    assert run("agent", "remove", "1", "--yes").returncode == 1
    with reading(engine) as db:
        assert [each.name for each in list_agents(db)] == ["Ann"]


@pytest.mark.usefixtures("ann")
def test_reset_gives_a_new_password_and_ends_what_was_signed_in(run, engine):
    sign_in(engine, 1)

    done = run("agent", "reset", "1", answer="copper-meadow\ncopper-meadow\n")

    assert "Ann has a new password, and is signed out everywhere." in done.stdout
    assert signed_in(engine) == []
    assert is_password(account_of(engine).agent.password, "copper-meadow")


@pytest.mark.usefixtures("ann")
def test_reset_by_a_link_takes_the_old_password_away_at_once(run, engine):
    sign_in(engine, 1)

    done = run("agent", "reset", "1", "--link")

    assert "Ann has no password any more, and is signed out everywhere." in done.stdout
    assert LINK.search(done.stdout)
    assert signed_in(engine) == []
    assert account_of(engine).agent.password == ""


EVE = ["agent", "add", "Eve", "--email", "eve@shop.example", "--role", "agent", "--link"]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ([*EVE, "--site", "nope"], 1, "no site with the short name 'nope'"),
        ([*EVE[:2], " ", *EVE[3:]], 1, "There is no name: write the one"),
        ([*EVE[:4], "eve", *EVE[5:]], 1, "'eve' is no e-mail address: write one such as"),
        ([*EVE[:4], "Ann@Shop.example", *EVE[5:]], 1, "Ann has the address ann@shop.example"),
        ([*EVE[:6], "owner"], 2, "'owner' is not one of 'viewer', 'agent', 'admin'"),
        ([*EVE, "--password-stdin"], 2, "exclude each other"),
        (EVE[:3], 2, "Missing option '--email'"),
        (["agent", "set", "1"], 2, "Nothing to change"),
        (["agent", "set", "1", "--site", "x", "--all-sites"], 2, "exclude each other"),
        (["agent", "set", "1", "--site", "nope"], 1, "no site with the short name 'nope'"),
        (["agent", "set", "99", "--name", "x"], 1, "There is no agent with the number 99: python"),
        (["agent", "set", "9" * 30, "--name", "x"], 1, "There is no agent with the number"),
        (["agent", "remove", "99", "--yes"], 1, "There is no agent with the number 99"),
        (["agent", "reset", "99", "--link"], 1, "There is no agent with the number 99"),
        (["agent", "remove", "2", "--yes"], 1, "no account yet: python -m core agent set 2"),
        (["agent", "reset", "2", "--link"], 1, "no account yet: python -m core agent set 2"),
    ],
)
@pytest.mark.usefixtures("ann")
def test_fault_ends_the_command_and_changes_nothing(run, engine, arguments, code, expected):
    add_old_agent(engine)
    with reading(engine) as db:
        before = list_agents(db)

    done = run(*arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert expected in done.stderr
    assert code == 2 or done.stderr.count("\n") == 1
    with reading(engine) as db:
        assert list_agents(db) == before


@pytest.mark.usefixtures("ann")
def test_last_admin_is_not_taken_away_from_the_others(run, engine):
    run(*EVE)

    for arguments in (["set", "1", "--role", "viewer"], ["remove", "1", "--yes"]):
        done = run("agent", *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("This is the last admin")
    with reading(engine) as db:
        assert [each.role for each in list_accounts(db)] == [Role.ADMIN, Role.AGENT]


def test_accounts_of_postgres_are_made_by_the_same_commands(run, postgres_url):
    made = run(*ADMIN, "--password-stdin", url=postgres_url, answer=PASSWORD)

    assert made.returncode == 0
    assert listed(run("agent", "list", url=postgres_url))[0][3] == "admin"
