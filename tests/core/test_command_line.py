"""python -m core: the owner's commands, as the owner runs them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.__main__ import main
from core.settings import settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(sqlite_url):
    """Runs a command in this process: a new one for each would take a second."""

    def run(*arguments: str, url: str = sqlite_url, **environment: str) -> CommandResult:
        settings.cache_clear()
        done = CliRunner().invoke(
            main,
            arguments,
            env={"MONITOR_DATABASE_URL": url, **environment},
            prog_name="python -m core",
        )
        settings.cache_clear()
        return CommandResult(done.exit_code, done.stdout, done.stderr)

    return run


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
        "KEY  NAME      TRACKING  TIME ZONE      DOMAINS",
        "tea  Tea shop  on        Europe/Berlin  https://shop.example, tea.example",
    ]


def test_set_changes_what_it_names(run):
    run("site", "add", "Shop", "--domain", "shop.example")

    changed = run("site", "set", "shop", "--tracking", "off", "--any-domain", "--name", "My shop")

    assert changed.stdout == "Changed shop. In force within 5 seconds.\n"
    assert run("site", "list").stdout.splitlines()[1].split() == [
        *("shop", "My", "shop", "off", "UTC", "any")
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["site", "set", "nope", "--tracking", "off"], 1, "no site with the key 'nope'"),
        (["site", "add", " "], 1, "The site has no name: write one"),
        (["site", "add", "Shop", "--key", "a b"], 1, "The key 'a b' cannot be used"),
        (["site", "add", "Shop", "--domain", "*.x"], 1, "The domain '*.x' cannot be used"),
        (["site", "add", "Shop", "--time-zone", "Mars"], 1, "The time zone 'Mars' is not known"),
        (["site", "set", "shop", "--tracking", "maybe"], 2, "'maybe' is not one of 'on', 'off'"),
        (["site", "set", "shop"], 2, "Nothing to change"),
        (["site", "set", "shop", "--any-domain", "--domain", "x"], 2, "exclude each other"),
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

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(expected)


@pytest.mark.parametrize(
    "arguments", [["list"], ["add", "Shop"], ["set", "shop", "--tracking", "off"]]
)
def test_missing_database_is_not_made(run, tmp_path, arguments):
    done = run("site", *arguments, url=f"sqlite:///{tmp_path / 'new' / 'monitor.db'}")

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


@pytest.mark.parametrize("arguments", [[], ["site"], ["site", "add"], ["site", "set"]])
def test_every_command_explains_itself(run, arguments):
    done = run(*arguments, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: python -m core")


def test_postgres_is_served_by_the_same_commands(run, postgres_url):
    assert run("site", "add", "Shop", url=postgres_url).returncode == 0
    assert "shop" in run("site", "list", url=postgres_url).stdout
