"""Processes that have loaded what they need: each is forked off one that has.

To load Streamlit, pandas and SQLAlchemy takes 2.3 s of processor time (own), and most tests of the dashboard's
pages start one. What is ours is loaded by each process itself.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LOADED = ["alembic", "altair", "pandas", "psycopg", "sqlmodel", "streamlit.web.cli", "uvicorn"]


def start_preloaded(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> ForkServerProcess:
    """`python -m module arguments` in the project's folder, with this environment; what it prints is dropped."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    process = context.Process(target=_run, args=(module, list(arguments), dict(environment)))
    process.start()
    return process


def _run(module: str, arguments: list[str], environment: dict[str, str]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
