"""What is known of a visit, as lists of facts."""

from __future__ import annotations

from core.frames import Journey
from core.visits.labels import visitor_label
from pages.parts.texts import day_and_time_of


def name_of(journey: Journey) -> str:
    """The visitor's name, or "Visitor" and the beginning of the visit's id."""
    return visitor_label(journey.listed["visitor_name"], journey.visit.id)


def state_of(journey: Journey, time_zone: str) -> str:
    """Whether the visitor is here: "Browsing, in view" or when the visit ended."""
    if not journey.is_live:
        seen = day_and_time_of(journey.visit.last_seen_at, time_zone)
        return f"This visit is over. Last seen {seen} ({time_zone})."
    place = "the page is in view" if journey.listed["in_view"] else "away, the page is not in view"
    return f"{journey.listed['status']}: {place}"


def who(journey: Journey) -> list[tuple[str, str]]:
    """The visitor: what the website says of them, where they are, with which device."""
    visit, listed = journey.visit, journey.listed
    country = f"{listed['flag']} {listed['country_name']}".strip()
    code = f" ({listed['country']})" if listed["country"] else ""
    device = ", ".join(word for word in (listed["browser"], listed["os"], visit.device) if word)
    return [
        *((name.capitalize(), value) for name, value in visit.attributes.items()),
        ("Country", country + code),
        ("Device", device),
        ("Language", visit.language),
        ("Time zone", visit.time_zone),
        ("Visit", visit.id),
    ]


def arrival(journey: Journey, time_zone: str) -> list[tuple[str, str]]:
    """How the visit began."""
    visit = journey.visit
    return [
        ("Came from", visit.source),
        ("Campaign", visit.campaign),
        ("Medium", visit.medium),
        ("Referrer", visit.referrer),
        ("Entry page", visit.entry_path),
        ("Began", f"{day_and_time_of(visit.started_at, time_zone)} ({time_zone})"),
    ]
