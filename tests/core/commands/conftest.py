"""The owner's commands, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from core.__main__ import main
from core.settings import settings


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(sqlite_url: str) -> Callable[..., CommandResult]:
    """Runs a command in this process: a new one for each would take a second."""

    def run(
        *arguments: str, url: str = sqlite_url, answer: str | bytes = "", **environment: str
    ) -> CommandResult:
        settings.cache_clear()
        done = CliRunner().invoke(
            main,
            arguments,
            input=answer,
            env={"MONITOR_DATABASE_URL": url, **environment},
            prog_name="python -m core",
        )
        settings.cache_clear()
        return CommandResult(done.exit_code, done.stdout, done.stderr)

    return run
