"""What is known of a visit, as lists of facts."""

from __future__ import annotations

from core.frames import UNKNOWN, Journey
from pages.parts.texts import day_and_time_of, time_of


def name_of(journey: Journey) -> str:
    """Who the visitor is: a name, or browser and country."""
    return journey.listed["who"]


def state_of(journey: Journey, time_zone: str, *, is_past: bool = False) -> str:
    """Where the visitor is: "Now on /cart. Browsing: the page is in view", or when the visit ended.

    is_past: the journey is of a past moment: "Then on /cart. ..."
    """
    if not journey.is_live:
        seen = day_and_time_of(journey.visit.last_seen_at, time_zone)
        over = "was over then" if is_past else "is over"
        return f"This visit {over}. Last seen {seen} ({time_zone})."
    verb, when = ("was", "Then") if is_past else ("is", "Now")
    in_view = journey.listed["in_view"]
    place = f"the page {verb} in view" if in_view else f"away, the page {verb} not in view"
    return f"{when} on {journey.listed['path']}. {journey.listed['status']}: {place}"


def updated(journey: Journey, time_zone: str) -> str:
    """The moment at which the visit was read, as long as it goes on."""
    return f"Updated {time_of(journey.as_of, time_zone)} ({time_zone})" if journey.is_live else ""


def who(journey: Journey) -> list[tuple[str, str]]:
    """The visitor: what the website says of them, where they are, with which device.

    What only some websites tell (which visit it is, what the cart is worth) is there when it is known.
    """
    visit, listed = journey.visit, journey.listed
    country = f"{listed['flag']} {listed['country_name']}".strip()
    code = f" ({listed['country']})" if listed["country"] else ""
    device = dict.fromkeys(word for word in (listed["browser"], listed["os"], visit.device) if word)
    told = [("Returning", listed["returning"]), ("Cart", listed["cart"])]
    return [
        *((name.capitalize(), value) for name, value in visit.attributes.items()),
        *((name, value) for name, value in told if value),
        ("Country", country + code),
        ("Device", ", ".join(device)),
        ("Language", visit.language or UNKNOWN),
        ("Time zone", visit.time_zone or UNKNOWN),
    ]


def arrival(journey: Journey, time_zone: str) -> list[tuple[str, str]]:
    """How the visit began."""
    visit = journey.visit
    kind = journey.listed["source_kind"]
    return [
        ("Came from", f"{visit.source} ({kind})" if kind else visit.source),
        ("Campaign", visit.campaign),
        ("Medium", visit.medium),
        ("Referrer", visit.referrer),
        ("Entry page", visit.entry_path),
        ("Began", f"{day_and_time_of(visit.started_at, time_zone)} ({time_zone})"),
    ]
