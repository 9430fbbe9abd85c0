"""deploy/compose.yaml as a compose tool reads it, with an .env made of deploy/env.example."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.built_image import ROOT, tool


class ComposeFile:
    """A copy of deploy/ in the folder; settings: lines of .env that are unlike the example's."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder / "deploy"
        shutil.copytree(ROOT / "deploy", self._folder)
        example = (self._folder / "env.example").read_text(encoding="utf-8")
        lines = [f"{name}={value}" for name, value in settings.items()]
        (self._folder / ".env").write_text("\n".join([example, *lines, ""]), encoding="utf-8")

    def read(self) -> dict[str, Any]:
        """All that `docker-compose config` makes of it: every service, whatever its profile."""
        done = self._config()
        assert done.returncode == 0, done.stderr
        return yaml.safe_load(done.stdout)

    def fault(self) -> str:
        """Why it is refused."""
        done = self._config()
        assert done.returncode != 0
        return done.stderr

    def _config(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tool("docker-compose"), "config"],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
