"""tests/run_tests.py: what failed at first and passed when run again is counted, and named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("run_tests.py")
AGAIN = "failed at first and passed when run again"
PASSES = "def test_passes():\n    pass\n"
FAILS = "def test_fails():\n    assert False\n"
FAILS_ONCE = """
from pathlib import Path

def test_{name}():
    file = Path("{name}")
    is_first, _ = not file.exists(), file.touch()
    assert not is_first, "the first time"
"""
PYTEST_CRASHES = """
def pytest_runtestloop(session):
    raise RuntimeError("no run")
"""


def run(folder: Path, workers: str = "1", **files: str) -> tuple[int, str]:
    """The exit status and the output for test files of these names and texts."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "--workers", workers],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return ran.returncode, ran.stdout


def test_it_says_nothing_when_all_pass_at_once(tmp_path: Path) -> None:
    status, output = run(tmp_path, test_one=PASSES)
    assert status == 0
    assert AGAIN not in output
    assert "1 passed" in output


def test_it_names_what_failed_at_first_and_keeps_the_failures(tmp_path: Path) -> None:
    flaky = FAILS_ONCE.format(name="shy") + FAILS_ONCE.format(name="slow")
    status, output = run(tmp_path, test_one=PASSES, test_two=flaky)
    names = "test_two.py::test_shy, test_two.py::test_slow"
    assert status == 0
    assert output.splitlines()[-3] == f"2 tests {AGAIN}: {names}"
    assert "the first time" in output
    assert "the first time" in (tmp_path / "artifacts" / "first-run.xml").read_text("utf-8")


@pytest.mark.long
def test_it_counts_only_what_passed_then(tmp_path: Path) -> None:
    status, output = run(tmp_path, test_one=FAILS, test_two=FAILS_ONCE.format(name="shy"))
    assert status == 1
    assert f"1 test {AGAIN}: test_two.py::test_shy\n" in output


@pytest.mark.parametrize(
    "file, text", [("test_two", "import nothing_of_this_name\n"), ("conftest", PYTEST_CRASHES)]
)
@pytest.mark.long
def test_a_run_that_could_not_be_made_fails(tmp_path: Path, file: str, text: str) -> None:
    run(tmp_path, test_one=FAILS_ONCE.format(name="shy"))
    (tmp_path / "shy").unlink()
    status, output = run(tmp_path, **{file: text})
    assert status not in (0, 1)
    assert AGAIN not in output


@pytest.mark.long
def test_run_whose_processes_find_different_tests_is_not_made_again(tmp_path: Path) -> None:
    differs = "import os, pytest\n\n@pytest.mark.parametrize('id', [os.getpid()])\ndef test_it(id):\n    pass\n"
    status, output = run(tmp_path, workers="2", test_one=differs)
    assert status != 0
    assert output.count("Different tests were collected") >= 1
    assert "1 passed" not in output
