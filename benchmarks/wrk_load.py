"""A load of beacons from wrk, which takes a tenth of the processor time of a load in Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import AGENTS, EVENTS_A_PAGE, PAGES

_SCRIPT = Path(__file__).with_name("beacons.lua")
_COUNTED = re.compile(r"counted=(\d+) refused=(\d+) microseconds=(\d+)")


class Flood(NamedTuple):
    """Requests that were answered, of them those that were not 2xx, and how many seconds it took."""

    requests: int
    refused: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Requests that were answered in a second."""
        return self.requests / self.seconds


def wrk_is_there() -> bool:
    """Whether wrk is installed (Debian: `apt-get install wrk`)."""
    return shutil.which("wrk") is not None


def flood(port: int, seconds: float, connections: int, round_number: int) -> Flood:
    """Send as much as is answered, each connection one request at a time. Visitors of each round are new ones."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT)]
    chosen = [str(round_number), str(EVENTS_A_PAGE), json.dumps(PAGES), *AGENTS]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}", "--", *chosen],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = _COUNTED.search(said)
    if found is None:
        raise SystemExit(f"wrk has said nothing that is understood: {said}")
    counted, refused, microseconds = (int(number) for number in found.groups())
    return Flood(counted, refused, microseconds / 1e6)
