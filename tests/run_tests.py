"""Run the tests, and what failed once more by itself: `python tests/run_tests.py [--workers N] [PATH ...]`.

The exit status is 0 when everything passed, or passed when it was run again; then it says at the end
which tests did, because such a test is to be mended. A run that could not be made (a file that does
not import, processes that find different tests, a crash of pytest) is not made again: its exit status is this one's.
"""

import json
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

FIRST_RUN = Path("artifacts", "first-run.xml")
"""The failures of the first run, to be read when the terminal has scrolled on."""

_FAILED = Path(".pytest_cache", "v", "cache", "lastfailed")
_TESTS_FAILED = 1
_NOT_MADE = 2
"""Pytest's own statuses."""


def main() -> int:
    """The exit status."""
    parser = ArgumentParser(description="Run the tests, and what failed once more by itself.")
    parser.add_argument("--workers", default="3", help="processes of the first run")
    parser.add_argument("paths", nargs="*")
    chosen = parser.parse_args()
    # Ctrl-C is pytest's; this one waits for it. (A handler is not inherited, as SIG_IGN would be.)
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    spread = ("-n", chosen.workers, "--dist", "loadfile", "--no-loadscope-reorder")
    status = _pytest("--cache-clear", f"--junitxml={FIRST_RUN}", *spread, *chosen.paths)
    failed = _failed()
    if status != _TESTS_FAILED or not failed:
        return status
    if not all(map(_is_test, failed)):
        return _NOT_MADE
    status = _pytest("--last-failed", "--last-failed-no-failures", "none", *chosen.paths)
    _print_flaky(failed - _failed())
    return status


def _pytest(*arguments: str) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def _failed() -> set[str]:
    """The tests that failed in the last run and have not passed since; at the first run, none."""
    return set(json.loads(_FAILED.read_text("utf-8"))) if _FAILED.exists() else set()


def _is_test(name: str) -> bool:
    """Rather than a file that does not import, or a process that has found other tests."""
    return "::" in name


def _print_flaky(names: Iterable[str]) -> None:
    names = sorted(names)
    if names:
        tests = "1 test" if len(names) == 1 else f"{len(names)} tests"
        line = f"{tests} failed at first and passed when run again: {', '.join(names)}"
        frame = "!" * 100
        sys.stdout.write(f"\n{frame}\n{line}\nMend them: {FIRST_RUN} has the failures.\n{frame}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
