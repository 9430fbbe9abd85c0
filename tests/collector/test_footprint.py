"""What a collector does not hold: what only the other database, or only an upgrade, needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.preloaded import ROOT

LOADED = """
import sys
import collector.command
from collector.warm_up import warm_up
from core.database import open_database

if {is_visited}:
    warm_up()
open_database("{url}")
print(*sys.modules, sep="\\n")
"""
NEVER = (
    *("alembic", "mako", "numpy", "pandas", "pyarrow", "streamlit", "authlib", "argon2", "httpx"),
    *("multipart", "xml", "unittest", "tkinter", "jinja2", "ua_parser_builtins.matchers"),
)
FOR_VISITORS = ("ua_parser", "is_bot", "regex")
"""What tells browsers and machines apart."""

POSTGRES = ("sqlalchemy.dialects.postgresql", "psycopg", "psycopg_binary")


@pytest.mark.parametrize(
    ("url", "unwanted", "wanted"),
    [
        (
            "sqlite:///{folder}/monitor.db",
            (*NEVER, *POSTGRES),
            ("sqlalchemy.dialects.sqlite", "sqlite3"),
        ),
        ("postgresql+psycopg://u@127.0.0.1/d", NEVER, POSTGRES),
    ],
    ids=["sqlite", "postgres"],
)
@pytest.mark.parametrize("is_visited", [False, True], ids=["idle", "visited"])
def test_collector_loads_what_its_processes_share_and_nothing_else(
    tmp_path: Path, url: str, unwanted: tuple[str, ...], wanted: tuple[str, ...], is_visited: bool
) -> None:
    code = LOADED.format(url=url.format(folder=tmp_path), is_visited=is_visited)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert loaded.isdisjoint(unwanted)
    assert loaded.issuperset(wanted)
    assert loaded.issuperset(FOR_VISITORS) if is_visited else loaded.isdisjoint(FOR_VISITORS)
