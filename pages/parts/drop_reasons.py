"""Why beacons were not stored, in plain words with the cure, and the collector's warnings."""

from __future__ import annotations

from core.reasons import Reason

WARNINGS = {
    "untrusted_proxy": "A proxy seems to stand before the collector and is not trusted: every "
    "visitor has the proxy's address, so that countries and limits are wrong. Set "
    "MONITOR_TRUSTED_PROXIES to the proxy's address and restart the collector.",
}


def reason_text(reason: str) -> str:
    """The reason in plain words; an unknown one unchanged."""
    return Reason(reason).owner_text if reason in list(Reason) else reason


def warning_text(name: str) -> str:
    """The warning with its cure; an unknown one unchanged."""
    return WARNINGS.get(name, f"The collector warns: {name}. See its log.")
