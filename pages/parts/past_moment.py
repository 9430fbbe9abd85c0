"""The moment that a page's address asks for by `at`, in the site's own time; without one the page is live."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pages.parts.address import address, change_address
from pages.parts.texts import day_and_time_of

AT = "at"
"""The name of the address's parameter."""

NO_SUCH_MOMENT = "This moment cannot be shown."

LONGEST_SHOWN = 40

YEARS = range(1970, 9_999)
"""In any time zone, and a day further, there is a date for each moment of these."""

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+ -]\d\d:\d\d)?", re.ASCII)
_LOST_PLUS = re.compile(r" (?=\d\d:\d\d$)")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class AskedMoment:
    """past: the moment, in UTC; None: the page is live. fault: why it is live although a moment was asked for."""

    past: datetime | None = None
    fault: str = ""


def asked_moment(time_zone: str, now: datetime) -> AskedMoment:
    """What the page's address asks for. A value that names no moment, or one to come, is a fault."""
    text = address().get(AT, "")
    if not text:
        return AskedMoment()
    moment = moment_of(text, time_zone)
    if moment is None:
        return AskedMoment(
            fault=f"The address asks for “{text[:LONGEST_SHOWN]}”, which is no date and time like "
            "2026-11-29T14:03. This is the page as it is now."
        )
    if moment >= now:
        return AskedMoment(
            fault=f"{day_and_time_of(moment, time_zone)} is still to come. This is the page as it is now."
        )
    return AskedMoment(moment)


def moment_of(text: str, time_zone: str) -> datetime | None:
    """The moment in UTC that the text names: a date and a time to the minute or the second; None for anything else, and
    for a year that is not of YEARS.

    Without an offset it is meant in the time zone. Of a time that the clock shows twice that is the first one; one that it
    skips is read as if it had not been put forward yet.
    """
    if not _WRITTEN.fullmatch(text):
        return None
    try:
        # In an address "+" is read as a space.
        named = datetime.fromisoformat(text[:11] + _LOST_PLUS.sub("+", text[11:]))
        local = named if named.tzinfo else named.replace(tzinfo=ZoneInfo(time_zone))
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def text_of(moment: datetime, time_zone: str) -> str:
    """The moment as `moment_of` reads it, to the second: "2026-11-29T14:03:05".

    With its offset where the local time alone would name another moment, and in UTC, which stands for several sites.
    """
    local = moment.astimezone(ZoneInfo(time_zone)).replace(microsecond=0)
    text = local.replace(tzinfo=None).isoformat()
    if time_zone == "UTC":
        return f"{text}Z"
    is_clear = moment_of(text, time_zone) == local
    return text if is_clear else local.isoformat()


def at_parameter(moment: datetime | None, time_zone: str) -> dict[str, str]:
    """What keeps the moment in the address of another page; nothing of the live one."""
    return {AT: text_of(moment, time_zone)} if moment else {}


def choose_moment(moment: datetime | None, time_zone: str) -> None:
    """Have the page show this moment, or, for None, be live: a step that Back undoes."""
    rest = {name: text for name, text in address().items() if name != AT}
    change_address(rest | at_parameter(moment, time_zone))


def next_second(moment: datetime) -> datetime:
    """The first whole second at which what happened at the moment is to be seen."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + _SECOND
