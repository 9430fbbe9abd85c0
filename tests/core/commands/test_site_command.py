"""python -m core site, as the owner runs it, and what every command shares."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_it_is_a_module_that_runs(sqlite_url):
    done = subprocess.run(
        [sys.executable, "-m", "core", "site", "list"],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": sqlite_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "There is no site yet: python -m core site add NAME\n"


def test_added_site_is_listed_and_its_tag_is_shown(run):
    added = run(
        *("site", "add", "Tea shop", "--key", "tea", "--domain", "https://shop.example"),
        *("--domain", "tea.example", "--time-zone", "Europe/Berlin"),
        MONITOR_PUBLIC_URL="https://monitor.example",
    )
    listed = run("site", "list")

    tag = (
        '<script async src="https://monitor.example/embed/visitor-monitor.js" data-site="tea">'
        "</script>"
    )
    assert (added.returncode, added.stderr) == (0, "")
    assert tag in added.stdout.splitlines()
    assert listed.stdout.splitlines() == [
        "KEY  NAME      TRACKING  TIME ZONE      DOMAINS                            QUERY KEYS"
        "  OWN NETWORKS",
        "tea  Tea shop  on        Europe/Berlin  https://shop.example, tea.example  as tagged   none",
    ]


def test_set_changes_what_it_names(run):
    run("site", "add", "Shop", "--domain", "shop.example")

    changed = run("site", "set", "shop", "--tracking", "off", "--any-domain", "--name", "My shop")

    assert changed.stdout == "Changed shop. In force within 5 seconds.\n"
    assert run("site", "list").stdout.splitlines()[1].split() == [
        *("shop", "My", "shop", "off", "UTC", "any", "as", "tagged", "none")
    ]


def test_query_keys_are_set_with_the_tag_that_sends_them_and_taken_back(run):
    run("site", "add", "Shop")

    changed = run("site", "set", "shop", "--query-key", "color", "--query-key", " page ")
    listed = run("site", "list").stdout
    back = run("site", "set", "shop", "--no-query-keys")

    assert changed.stdout.splitlines()[0] == "Changed shop. In force within 5 seconds."
    assert ' data-site="shop" data-query="color,page"></script>' in changed.stdout.splitlines()[-1]
    assert "color, page" in listed
    assert ' data-site="shop"></script>' in back.stdout.splitlines()[-1]
    assert "as tagged" in run("site", "list").stdout


def test_own_networks_are_set_and_taken_back(run):
    run("site", "add", "Shop")

    changed = run("site", "set", "shop", "--own-network", "203.0.113.7/24", "--own-network", "::1")
    listed = run("site", "list").stdout
    run("site", "set", "shop", "--no-own-networks")

    assert changed.stdout == "Changed shop. In force within 5 seconds.\n"
    assert listed.rstrip().endswith("203.0.113.0/24, ::1")
    assert run("site", "list").stdout.rstrip().endswith("none")


def test_site_is_removed_once_its_name_is_written(run):
    run("site", "add", "Tea shop")
    run("site", "add", "Cups")

    refused = run("site", "remove", "tea-shop", answer="Tea\n")
    removed = run("site", "remove", "tea-shop", answer="Tea shop\n")

    assert refused.returncode == 1
    assert "This is not the site's name: write 'Tea shop'" in refused.stderr
    assert "This deletes Tea shop with all its visits and chats" in removed.stdout
    assert "Deleted Tea shop. In force within 5 seconds." in removed.stdout
    listed = run("site", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed[:-1]] == ["KEY", "cups"]
    assert listed[-1] == "Being deleted: Tea shop (tea-shop), 0 visits left"


def test_site_is_removed_without_a_question_by_a_script(run):
    run("site", "add", "Tea shop")

    assert run("site", "remove", "tea-shop", "--yes", "Cups").returncode == 1
    assert run("site", "remove", "tea-shop", "--yes", "Tea shop").returncode == 0
    assert run("site", "remove", "tea-shop", "--yes", "Tea shop").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["site", "remove", "nope"], 1, "no site with the short name 'nope'"),
        (["site", "set", "nope", "--tracking", "off"], 1, "no site with the short name 'nope'"),
        (["site", "add", " "], 1, "The site has no name: write one"),
        (["site", "add", "Shop", "--key", "a b"], 1, "The short name 'a b' cannot be used"),
        (["site", "add", "Shop", "--domain", "*.x"], 1, "The address '*.x' cannot be used"),
        (["site", "add", "Shop", "--time-zone", "Mars"], 1, "The time zone 'Mars' is not known"),
        (["site", "set", "shop", "--tracking", "maybe"], 2, "'maybe' is not one of 'on', 'off'"),
        (["site", "set", "shop"], 2, "Nothing to change"),
        (["site", "set", "shop", "--any-domain", "--domain", "x"], 2, "exclude each other"),
        (["site", "set", "x", "--no-own-networks", "--own-network", "::1"], 2, "exclude each"),
        (["site", "set", "x", "--no-query-keys", "--query-key", "a"], 2, "exclude each other"),
    ],
)
def test_fault_ends_the_command_and_is_reported(run, arguments, code, expected):
    done = run(*arguments)

    assert done.returncode == code
    assert expected in done.stderr
    assert done.stdout == ""
    assert code == 2 or done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://x", "MONITOR_DATABASE_URL is 'mysql://x': write sqlite:///FILE"),
        ("sqlite:////proc/nowhere/x.db", "There is no database at /proc/nowhere/x.db: start the"),
        ("postgresql+psycopg://a:b@127.0.0.1:1/x", "The database does not answer: connection"),
    ],
)
def test_database_that_cannot_be_used_is_reported_in_one_line(run, url, expected):
    done = run("site", "list", url=url)

    assert done.returncode == (os.EX_CONFIG if expected.startswith("MONITOR_") else 1)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(expected)


@pytest.mark.parametrize(
    "command",
    [
        "site list",
        "site add Shop",
        "site set shop --tracking off",
        "site remove shop",
        "agent list",
        "agent add Ann --email ann@shop.example --role admin",
        "agent set 1 --role admin",
        "agent remove 1",
        "agent reset 1",
        "visitor export --site shop --visit one",
        "visitor forget --site shop --visit one --yes",
        "visitor wipe",
    ],
)
def test_missing_database_is_not_made(run, tmp_path, command):
    done = run(*command.split(), url=f"sqlite:///{tmp_path / 'new' / 'monitor.db'}")

    assert done.returncode == 1
    assert "start the collector once: python -m collector" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_database_without_tables_says_what_makes_them(run, tmp_path):
    (tmp_path / "empty.db").touch()
    done = run("site", "list", url=f"sqlite:///{tmp_path / 'empty.db'}")

    assert done.returncode == 1
    assert "start the collector once: python -m collector" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        *(["site", *more] for more in ([], ["add"], ["list"], ["set"], ["remove"])),
        *(["agent", *more] for more in ([], ["add"], ["list"], ["set"], ["remove"], ["reset"])),
        *(["visitor", *more] for more in ([], ["export"], ["forget"], ["wipe"])),
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(run, arguments):
    done = run(*arguments, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: python -m core")


def test_postgres_is_served_by_the_same_commands(run, postgres_url):
    assert run("site", "add", "Shop", url=postgres_url).returncode == 0
    assert "shop" in run("site", "list", url=postgres_url).stdout
