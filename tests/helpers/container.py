"""A container of the image, run by bubblewrap as `docker run --read-only --cap-drop ALL` runs one.

Its root cannot be written, its user is the image's and can become no other, and the command is its first
process, to which signals come as docker sends them. It shares only the network with this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.built_image import BuiltImage, tool
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import answers

STARTS_WITHIN = 90
ENDS_WITHIN = 40


class Container:
    """How commands are run in it. hosts: names that lead to this machine, as compose gives services names."""

    def __init__(
        self,
        image: BuiltImage,
        volume: Path,
        environment: Mapping[str, str],
        hosts: Sequence[str] = (),
    ) -> None:
        self._image = image
        self._volume = volume
        self._environment = image.environment | dict(environment)
        self._hosts = volume.with_name("hosts")
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n", encoding="utf-8")

    @contextmanager
    def running(self, *command: str) -> Iterator[RunningContainer]:
        """The command at the image's entry point; killed at the end if it still runs."""
        log = self._volume.with_name(f"{command[0]}.log")
        reader, writer = os.pipe()
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._sandbox([*self._image.entrypoint, *command], "--info-fd", str(writer)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[writer],
            )
        os.close(writer)
        with os.fdopen(reader) as info:
            pid = json.load(info)["child-pid"]
        try:
            yield RunningContainer(process, pid, log)
        finally:
            # Not bwrap itself: with another user its first process no longer dies with it.
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def execute(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """As `docker exec`: a command beside the running one; text: what it reads."""
        return subprocess.run(
            self._sandbox(command), input=text, capture_output=True, text=True, timeout=60
        )

    def _sandbox(self, command: Sequence[str], *options: str) -> list[str]:
        user = str(self._image.user)
        variables = [("--setenv", *pair) for pair in self._environment.items()]
        return [
            *(tool("bwrap"), "--ro-bind", str(self._image.root), "/"),
            *("--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"),
            *("--bind", str(self._volume), "/data", "--ro-bind", str(self._hosts), "/etc/hosts"),
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent"),
            *("--clearenv", *(word for variable in variables for word in variable)),
            *("--chdir", self._image.folder, *options),
            *("setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
            *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", *command),
        ]


class RunningContainer:
    """Its first process; log: the file of all that it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], pid: int, log: Path) -> None:
        self.log = log
        self._process = process
        self._pid = pid

    def wait_for(self, address: str) -> None:
        """Returns once it answers there; fails with what it wrote when it does not."""
        wait_for(lambda: self._process.poll() is not None or answers(address), STARTS_WITHIN)
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")

    def ask_to_end(self) -> None:
        """Send SIGTERM, as `docker stop` does."""
        os.kill(self._pid, signal.SIGTERM)

    def exit_code(self) -> int:
        """With what it ended."""
        return self._process.wait(ENDS_WITHIN)


def new_volume(image: BuiltImage, folder: Path) -> Path:
    """A folder for /data that looks as a new volume does: with the owner and mode of the image's."""
    volume, original = folder / "volume", image.root / "data"
    volume.mkdir()
    shutil.copymode(original, volume)
    owner = original.stat()
    os.chown(volume, owner.st_uid, owner.st_gid)
    return volume
