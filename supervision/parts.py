"""The collector and the dashboard, as the settings say."""

from __future__ import annotations

from core.listen_fault import listen_fault
from core.settings import Settings
from supervision.log_file import LogFile
from supervision.part import Part


def collector_part(chosen: Settings, log: LogFile | None = None) -> Part:
    """The collector, not started yet."""
    health = f"http://{chosen.local_host}:{chosen.collector_port}/healthz"
    return Part("The collector", ["collector"], health, log)


def dashboard_part(chosen: Settings, *options: str, log: LogFile | None = None) -> Part:
    """The dashboard, not started yet; the options are Streamlit's."""
    health = f"{chosen.local_dashboard}/_stcore/health"
    return Part("The dashboard", ["pages", *options], health, log)


def port_fault(chosen: Settings) -> str:
    """Why one of the two cannot listen, with the cure, or ""."""
    return listen_fault(chosen.collector_host, chosen.collector_port, "COLLECTOR") or listen_fault(
        chosen.dashboard_host, chosen.dashboard_port, "DASHBOARD"
    )
