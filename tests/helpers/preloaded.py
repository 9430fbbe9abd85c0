"""Processes that have loaded what they need: each is forked off one that has.

To load its libraries takes a dashboard 1.3 s of processor time and a collector 0.9 s (own), and most files of
tests start one. What a command does before it runs is the same; `python -m` itself is started by the tests of
run.py, of the supervision and of deploy/.
"""

from __future__ import annotations

import atexit
import os
import resource
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
_LOADED = ["altair", "collector.app", "core.frames", "core.upgrade", "psycopg", "streamlit.web.cli"]


def preloaded() -> ForkServerContext:
    """Its processes have loaded the libraries."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def start_preloaded(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path = Path(os.devnull),
    files: int = 0,
) -> ForkServerProcess:
    """`python -m module arguments` in the project's folder, with this environment and no other.

    output: the file that what it prints is added to. files: how many it may open; 0: as many as this one.
    """
    process = preloaded().Process(
        target=_run, args=(module, list(arguments), dict(environment), output, files)
    )
    start_without_main(process)
    return process


def start_without_main(process: ForkServerProcess) -> None:
    """Start it, and have it run no main module first.

    Else multiprocessing runs what is `__main__` here, and after a test that draws a page in its own process
    that is the dashboard's script: it would read the settings before the environment is set.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main


def _run(
    module: str, arguments: list[str], environment: dict[str, str], output: Path, files: int
) -> None:
    if files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
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
