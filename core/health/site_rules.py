"""What may be wrong between websites and the collector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from core.enrich.this_machine import names_this_machine
from core.health.report import HealthReport
from core.health.words import time_in_words
from core.reasons import Reason
from core.visits.arrivals import NO_SITE

MISSED_AT_LEAST = 10
"""Visits that would usually have come. That none of ten comes by chance happens once in 22,000 times, if
visitors come independently (Poisson)."""

REFUSED_AT_LEAST = 100
"""Reports in 24 hours (own: robots and copies of a page cause some of them everywhere)."""

CURABLE = (
    Reason.ORIGIN,
    Reason.UNKNOWN_SITE,
    Reason.RATE_LIMIT,
    Reason.TOO_MANY_VISITS,
    Reason.TOO_MANY_STREAMS,
    Reason.STREAMS_FULL,
    Reason.QUEUE_FULL,
    Reason.NOT_COMMITTED,
    Reason.NOT_LOADED,
    Reason.FAULT,
)
"""Reasons that an owner can do something about. The others are robots, old pages and plain refusals."""


_OF_OUR_OWN = (Reason.FAULT, Reason.NOT_LOADED)


def sites_are_silent(report: HealthReport) -> str | None:
    """Sites from which nothing comes, although something usually would by now."""
    if report.signs.silence is not None:
        return None
    silent = [
        f"{each.site.name} (for {time_in_words(report.at - each.last_beacon_at)}, in which some "
        f"{each.missed:,.0f} visits usually begin)"
        for each in report.sites
        if each.last_beacon_at and each.missed >= MISSED_AT_LEAST
    ]
    return f"Nothing comes any more from {', '.join(silent)}." if silent else None


def reports_refused(reason: Reason) -> Callable[[HealthReport], str | None]:
    """The rule for one of CURABLE; of a fault of our own each one counts."""
    least = 1 if reason in _OF_OUR_OWN else REFUSED_AT_LEAST

    def find(report: HealthReport) -> str | None:
        refused = {name: hits for name, hits in _refused(report, reason).items() if hits}
        if sum(refused.values()) < least:
            return None
        parts = ", ".join(f"{name} {hits:,}" for name, hits in refused.items())
        return f"Reports were not recorded in the last 24 hours: {parts}."

    return find


def _refused(report: HealthReport, reason: Reason) -> dict[str, int]:
    """How many, by the name of the site."""
    names = {each.site.id or 0: each.site.name for each in report.sites}
    names[NO_SITE] = "of no known site"
    return {
        names[site_id]: drops[reason].hits
        for site_id, drops in report.drops.items()
        if reason in drops and site_id in names
    }


def notices_are_given_up(report: HealthReport) -> str | None:
    """Notices that no attempt of a day has brought to an address."""
    lost = _by_name(report, report.untold)
    return f"Notices of the last days were not told: {lost}." if lost else None


def answers_are_given_up(report: HealthReport) -> str | None:
    """Answers to left messages that no mail server has taken, and that no agent has seen to since."""
    lost = _by_name(report, report.unanswered)
    return f"Answers by e-mail could not be sent: {lost}." if lost else None


def _by_name(report: HealthReport, numbers: Mapping[int, int]) -> str:
    """Each site that is known with its number; "" where there is none."""
    names = {each.site.id or 0: each.site.name for each in report.sites}
    return ", ".join(f"{names[id]} {number:,}" for id, number in numbers.items() if id in names)


def is_not_https(report: HealthReport) -> str | None:
    """An address that is set, is not of this machine, and can be overheard."""
    plain = [url for url in (report.public_url, report.dashboard_url) if _is_plain(url)]
    return f"{' and '.join(plain)} can be overheard: it is not https." if plain else None


def _is_plain(url: str) -> bool:
    place = urlsplit(url)
    return place.scheme == "http" and not names_this_machine(place.hostname or "")
