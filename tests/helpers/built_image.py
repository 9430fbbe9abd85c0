"""The image of deploy/Dockerfile, built by buildah on a Debian that debootstrap makes.

No registry of images is asked for anything. pip inside the build gets the settings that pip has here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CURE = "run sh tests/install_deploy_tools.sh."

_BASE = "localhost/debian-with-python"
_NAME = "localhost/visitor-monitor"
_PACKAGES = "python3,python3-venv,ca-certificates"
_BUILT_WITHIN = 1_500
"""Seconds; pip fetches 200 MB."""


class BuiltImage:
    """root: the image's files, as a folder. config: what it says of user, environment and command.

    own_bytes: what it adds to its base.
    """

    def __init__(self, root: Path, config: dict[str, Any], own_bytes: int) -> None:
        self.root = root
        self.config = config
        self.own_bytes = own_bytes

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it sets."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    @property
    def user(self) -> int:
        """The number of the user that it runs as."""
        return int(self.config["User"])

    @property
    def entrypoint(self) -> list[str]:
        """What runs a container's command."""
        return self.config["Entrypoint"]

    @property
    def folder(self) -> str:
        """The folder in which it runs."""
        return self.config["WorkingDir"]

    @property
    def health_check(self) -> list[str]:
        """The command that says whether a container is well."""
        return self.config["Healthcheck"]["Test"][1:]


@contextmanager
def built_image(folder: Path, cache: Path) -> Iterator[BuiltImage]:
    """The image, for as long as the context lasts; cache: where its base is kept for the next run."""
    buildah = _Buildah(folder)
    try:
        buildah.import_base(_base(cache))
        buildah.build(folder)
        yield buildah.mounted()
    finally:
        buildah.run("rm", "--all")
        shutil.rmtree(folder, ignore_errors=True)


class _Buildah:
    """buildah with images of its own, as root and without a daemon."""

    def __init__(self, folder: Path) -> None:
        self._buildah = tool("buildah")
        self._storage = folder / "storage"
        self._run_root = folder / "run"

    def run(self, *arguments: str | Path) -> str:
        """What it printed."""
        places = ("--root", self._storage, "--runroot", self._run_root, "--storage-driver", "vfs")
        command = [self._buildah, *places, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILT_WITHIN)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout.strip()

    def import_base(self, archive: Path) -> None:
        """Make an image of the base's files."""
        container = self.run("from", "scratch")
        self.run("add", container, archive, "/")
        self.run("commit", "--rm", container, _BASE)

    def build(self, folder: Path) -> None:
        """Build deploy/Dockerfile as `docker build` does."""
        self.run(
            *("build", "--pull-never", "--isolation", "chroot", "--format", "docker"),
            *("--build-arg", f"BASE={_BASE}", "--file", ROOT / "deploy" / "Dockerfile"),
            *_pip_volumes(folder),
            *("--tag", _NAME, ROOT),
        )

    def mounted(self) -> BuiltImage:
        """The image as a folder."""
        config = json.loads(self.run("inspect", "--type", "image", _NAME))["Docker"]["config"]
        root = self._mount(_NAME)
        (root / "etc" / "hosts").touch()  # where a container gets its own
        return BuiltImage(root, config, _size(root) - _size(self._mount(_BASE)))

    def _mount(self, image: str) -> Path:
        return Path(self.run("mount", self.run("from", "--pull-never", image)))


def tool(name: str) -> str:
    """The path of a program that these tests need; without it they fail, with the cure."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.fail(f"No {name}: {CURE}", pytrace=False)
    return found


def _base(cache: Path) -> Path:
    """An archive of a small Debian with Python, made once."""
    archive = cache / "debian-with-python.tar"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        tree, made = Path(folder, "tree"), Path(folder, "made.tar")
        options = ("--variant=minbase", f"--include={_PACKAGES}")
        _succeed(tool("debootstrap"), *options, "bookworm", tree)
        shutil.rmtree(tree / "var/cache/apt")
        shutil.rmtree(tree / "var/lib/apt/lists")
        _succeed("tar", "--create", "--file", made, "--directory", tree, "--exclude=./dev/*", ".")
        made.replace(archive)
    return archive


def _succeed(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILT_WITHIN)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def _pip_volumes(folder: Path) -> Iterator[str]:
    """pip's settings on this machine as a file of the build, and the files that they name."""
    listed = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    pairs = [line.split("=", 1) for line in reversed(listed.splitlines())]  # the environment wins
    settings = {name.split(".", 1)[1]: value.strip("'\"") for name, value in pairs}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    configuration = folder / "pip.conf"
    configuration.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    yield f"--volume={configuration}:/etc/pip.conf:ro"
    for word in " ".join(settings.values()).split():
        # The packages of an index in a folder lie beside its pages.
        path = Path(word.removeprefix("file://")).parent if "file://" in word else Path(word)
        if path.is_absolute() and path.exists():
            yield f"--volume={path}:{path}:ro"


def _size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())
