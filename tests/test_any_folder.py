"""`python -m collector`, `core`, `pages` and `supervision` work from any folder, with the environment of make."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = ("collector", "core", "pages", "supervision")
REFUSED = {"MONITOR_STREAMS": "many"}
"""So that each answers at once, with the refusal of its own settings."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a new environment that make has prepared, in a project that has the same code."""
    project = tmp_path_factory.mktemp("a project")
    for name in ("Makefile", *MODULES):
        (project / name).symlink_to(ROOT / name)
    venv.create(project / ".venv", symlinks=True)
    subprocess.run(["make", ".venv/found"], cwd=project, check=True)
    [lib] = (project / ".venv" / "lib").glob("python*/site-packages")
    (lib / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return project / ".venv" / "bin" / "python"


@pytest.mark.parametrize("module", ["collector", "pages", "supervision"])
def test_server_starts_from_another_folder(python: Path, tmp_path: Path, module: str) -> None:
    done = subprocess.run(
        [python, "-m", module],
        cwd=tmp_path,
        env=os.environ | REFUSED,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.startswith("MONITOR_STREAMS is 'many': ")


def test_owners_command_finds_a_relative_database_from_another_folder(
    python: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [python, "-m", "core", "site", "list"],
        cwd=tmp_path,
        env=os.environ | {"MONITOR_DATABASE_URL": "sqlite:///no-such-folder/shop.db"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert f"There is no database at {ROOT}/no-such-folder/shop.db" in done.stderr


def test_it_is_found_after_the_project_was_moved(python: Path, tmp_path: Path) -> None:
    project = python.parents[2]
    moved = project.rename(project.with_name("moved"))
    done = subprocess.run(
        [moved / ".venv" / "bin" / "python", "-c", "import core; print(core.__path__[0])"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    moved.rename(project)
    assert done.stdout.strip() == str(moved / "core")
