"""python -m supervision: run the collector and the dashboard for good: `make serve`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from core.command_error import exit_in_one_line
from core.log_format import start_log
from core.settings import SettingsError, settings
from supervision.log_file import LogFile
from supervision.parts import collector_part, dashboard_part, port_fault
from supervision.supervisor import Supervisor

_log = logging.getLogger("supervision")


@click.command()
@click.option(
    "--logs",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for collector.log, dashboard.log and serve.log, instead of stderr.",
)
def main(logs: Path | None) -> None:
    """Run the collector and the dashboard; each starts again when it ends or hangs."""
    with exit_in_one_line(SettingsError):
        chosen = settings()
        collector, dashboard, own = _log_files(logs)
        start_log(chosen.log_format, own.open() if own else None)
        supervisor = Supervisor(
            [collector_part(chosen, collector), dashboard_part(chosen, log=dashboard)],
            [log for log in (collector, dashboard, own) if log],
        )
        supervisor.obey_signals()
        if logs:
            click.echo(f"What they have to say is written to {logs}/.")
        reason = port_fault(chosen)
        if not reason:
            dashboard_at = chosen.dashboard_url or chosen.local_dashboard
            _log.info("serving dashboard=%s collector=%s", dashboard_at, chosen.public_address)
            reason = supervisor.run()
    if reason:
        _log.error("%s", reason)
        if logs:
            click.echo(reason, err=True)
        sys.exit(1)
    _log.info("stopped")


def _log_files(folder: Path | None) -> tuple[LogFile | None, LogFile | None, LogFile | None]:
    if folder is None:
        return None, None, None
    return (
        LogFile(folder / "collector.log"),
        LogFile(folder / "dashboard.log"),
        LogFile(folder / "serve.log"),
    )


if __name__ == "__main__":
    main(prog_name="python -m supervision")
