"""Processes that have loaded what they need: each is forked off one that has.

To load its libraries takes a dashboard 1.3 s of processor time and a collector 0.9 s (own), and most files of
tests start one. What a command does before it runs is the same; `python -m` itself is started by the tests of
run.py, of the supervision and of deploy/.
"""

from __future__ import annotations

import atexit
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LOADED = ["altair", "collector.app", "core.frames", "core.upgrade", "psycopg", "streamlit.web.cli"]


def start_preloaded(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path = Path(os.devnull),
) -> ForkServerProcess:
    """`python -m module arguments` in the project's folder, with this environment and no other.

    output: the file that what it prints is added to.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    process = context.Process(
        target=_run, args=(module, list(arguments), dict(environment), output)
    )
    process.start()
    return process


def _run(module: str, arguments: list[str], environment: dict[str, str], output: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)  # workers of the collector's get it by its number
    written = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves it out; the log's last lines are written then
