"""A rule that invites visitors by itself, in plain words."""

from __future__ import annotations

from core.chat.states import Trigger
from core.tables import ChatRule
from pages.parts.texts import plural

WHEN = {
    Trigger.SECONDS: "After some seconds",
    Trigger.PAGES: "On the visit's n-th page",
    Trigger.EXIT: "When the visitor is about to leave",
}
ANY_PAGE = "Any page"


def sentence_of(rule: ChatRule) -> str:
    """When it invites: "After 30 seconds on a page with the context Cart"."""
    context = rule.page_context
    page = f"a page with the context {context}" if context else "any page"
    match Trigger(rule.trigger):
        case Trigger.SECONDS:
            return f"After {plural(rule.threshold, 'second')} on {page}"
        case Trigger.PAGES:
            only = f", when its context is {context}" if context else ""
            return f"On page {rule.threshold:,} of the visit{only}"
        case Trigger.EXIT:
            return f"When the visitor is about to leave {page}"


def limits_of(rule: ChatRule) -> str:
    """How often it invites, and when not: "At most 50 a day, not from 22:00 to 08:00"."""
    hours = f", not from {clock(rule.quiet_from)} to {clock(rule.quiet_until)}"
    quiet = "" if rule.quiet_from == rule.quiet_until else hours
    return f"At most {rule.daily_cap:,} a day{quiet}"


def record_of(rule: ChatRule) -> str:
    """The results so far: "Shown 40 times, accepted 10 times (25%)"."""
    if not rule.shown_count:
        return "Not shown yet"
    share = round(100 * rule.accepted_count / rule.shown_count)
    return f"Shown {_times(rule.shown_count)}, accepted {_times(rule.accepted_count)} ({share}%)"


def clock(minutes: int) -> str:
    """Minutes since midnight as a clock's time: "22:00"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
