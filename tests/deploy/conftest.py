"""The image, built once for all tests of deploy/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.built_image import BuiltImage, built_image
from tests.helpers.container import new_volume


@pytest.fixture(scope="session")
def image(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[BuiltImage]:
    """What `docker build` makes of deploy/Dockerfile."""
    cache = pytestconfig.rootpath / ".pytest_cache" / "deploy"
    with built_image(tmp_path_factory.mktemp("image"), cache) as built:
        yield built


@pytest.fixture
def volume(image: BuiltImage, tmp_path: Path) -> Path:
    """A new volume for /data."""
    return new_volume(image, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how large the image is."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "image size":
                terminalreporter.write_line(f"Image: {value}")
