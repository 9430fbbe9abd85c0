"""python -m pages: serve the dashboard, as the settings say; what follows is for Streamlit.

Streamlit's own variables keep working, but for the address, the port and the path, which are settings
of ours: they also stand in links.
"""

from __future__ import annotations

import os
import platform
import sys

from core.command_error import CommandError, exit_in_one_line
from core.listen_fault import listen_fault
from core.settings import PROJECT_ROOT, Settings, SettingsError, settings


def main() -> None:
    """Become Streamlit's process. The settings are checked before it is loaded."""
    with exit_in_one_line(SettingsError):
        chosen = settings()
        if fault := listen_fault(chosen.dashboard_host, chosen.dashboard_port, "DASHBOARD"):
            raise CommandError(fault)
        os.chdir(PROJECT_ROOT)  # Streamlit reads .streamlit/ where it is started
        command = [sys.executable, *_streamlit(chosen), *sys.argv[1:]]
        os.execve(sys.executable, command, allocator() | os.environ)


def _streamlit(chosen: Settings) -> list[str]:
    return [
        *("-m", "streamlit", "run", "app.py"),
        *("--server.address", chosen.dashboard_host),
        *("--server.port", str(chosen.dashboard_port)),
        *("--server.baseUrlPath", chosen.dashboard_path),
    ]


def allocator() -> dict[str, str]:
    """Have Python take the memory of small objects from the C library, where that is glibc, which can give back what
    closed pages leave between those that stay: Python's own keeps a MiB for one object in it.

    Of what eight viewers take, a third stays then, else two thirds; the first page takes 4 MB more
    (benchmarks/closed_viewers.py).
    """
    is_glibc = platform.libc_ver()[0] == "glibc"
    return {"PYTHONMALLOC": "malloc"} if is_glibc else {}


if __name__ == "__main__":
    main()
