"""Why beacons were not stored, in plain words with the cure, and what the collector warns of."""

from __future__ import annotations

from core.visits.hit import Reason

REASONS = {
    Reason.BOT: "Robots: search engines, monitors and automated browsers are not visitors.",
    Reason.PREFETCH: "Pages that a browser loaded ahead and that nobody has seen.",
    Reason.NOTHING_TO_DO: "Beacons that said nothing new.",
    Reason.UNKNOWN_KIND: "Events of a kind that this version does not know: update the collector.",
    Reason.VISIT_OVER: "Pages left open after their visit had ended: no cause for concern.",
    Reason.NO_VISIT: "Beacons of a visit that is not known, often after its data were deleted: "
    "its next page view begins a new one.",
    Reason.MALFORMED: "Beacons that do not follow the format: an old script in a cache, or not our "
    "script.",
    Reason.TOO_LARGE: "Beacons larger than 16 KiB.",
    Reason.ENCODED: "Compressed beacons: not our script.",
    Reason.UNKNOWN_SITE: "Beacons with a site key that does not exist: check data-site in the tag.",
    Reason.TRACKING_OFF: "Beacons that arrived while tracking was off.",
    Reason.ORIGIN: "Pages of a domain that is not allowed: add it under Allowed domains, if it is "
    "yours.",
    Reason.RATE_LIMIT: "One address sent more than MONITOR_RATE_LIMIT allows. If all visitors share "
    "one, set MONITOR_TRUSTED_PROXIES.",
    Reason.QUEUE_FULL: "The collector was busy; the script sends these beacons again.",
    Reason.NOT_COMMITTED: "The database was slow; the script sends these beacons again.",
    Reason.FAULT: "A fault in the collector: see its log.",
    Reason.NO_CONVERSATION: "Calls of a chat whose conversation was deleted: no cause for concern.",
    Reason.OVER: "Messages to a chat that had just ended: no cause for concern.",
    Reason.CHATTING: "Chats that were to be opened while the visit was in one already.",
    Reason.INVITED: "Chats that were to be opened while an invitation waited in another tab.",
    Reason.EMPTY: "Messages without text: not our script.",
    Reason.TOO_MANY: "Messages beyond what one conversation takes, or conversations beyond what one "
    "visit may open: perhaps a machine.",
    Reason.NOT_NOW: "Exit invitations that a rule did not give: nobody was there, the day's cap was "
    "reached, it was quiet hours, or the visit had been invited before.",
    Reason.NOT_OFFERED: "Chats that were to be opened on a site without a chat button: it was just "
    "switched off, or it is not our script.",
}

WARNINGS = {
    "untrusted_proxy": "A proxy seems to stand before the collector and is not trusted: every "
    "visitor has the proxy's address, so that countries and limits are wrong. Set "
    "MONITOR_TRUSTED_PROXIES to the proxy's address and restart the collector.",
}


def reason_text(reason: str) -> str:
    """The reason in plain words; an unknown one as it stands."""
    return REASONS[Reason(reason)] if reason in list(Reason) else reason


def warning_text(name: str) -> str:
    """The warning with its cure; an unknown one as it stands."""
    return WARNINGS.get(name, f"The collector warns: {name}. See its log.")
