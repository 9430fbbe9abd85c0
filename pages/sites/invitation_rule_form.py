"""The fields of a rule that invites visitors by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import streamlit as st

from core.chat.rules import DAILY_CAP, LONGEST_WAIT, MOST_A_DAY, MOST_PAGES, RuleChanges
from core.chat.states import Trigger
from core.enrich.page_context import PageContext
from core.tables import ChatRule
from pages.sites.invitation_rule_text import ANY_PAGE, WHEN

CONTEXTS = ["", *(context.value for context in PageContext if context)]
NIGHT = (22 * 60, 8 * 60)
"""The quiet hours that the form proposes, in minutes since midnight."""


@dataclass(frozen=True)
class Fields:
    """The values of a rule's fields; the defaults are those of a new rule.

    The quiet hours are in minutes since midnight; there are none when both are the same.
    """

    trigger: Trigger = Trigger.SECONDS
    threshold: int = 30
    page_context: str = ""
    text: str = ""
    daily_cap: int = DAILY_CAP
    quiet_from: int = 0
    quiet_until: int = 0


def fields_of(rule: ChatRule) -> Fields:
    """The rule's values."""
    return Fields(
        trigger=Trigger(rule.trigger),
        threshold=rule.threshold,
        page_context=rule.page_context,
        text=rule.text,
        daily_cap=rule.daily_cap,
        quiet_from=rule.quiet_from,
        quiet_until=rule.quiet_until,
    )


def changes_of(fields: Fields) -> RuleChanges:
    """The fields as changes of a rule."""
    return RuleChanges(
        trigger=fields.trigger.value,
        threshold=fields.threshold,
        page_context=fields.page_context,
        text=fields.text,
        daily_cap=fields.daily_cap,
        quiet_from=fields.quiet_from,
        quiet_until=fields.quiet_until,
    )


def draw_fields(key: str, before: Fields, time_zone: str) -> Fields:
    """Draw the fields; returns their values now. Each rule of the page has its own `key`."""
    trigger = st.selectbox(
        "When",
        list(WHEN),
        index=list(WHEN).index(before.trigger),
        format_func=WHEN.__getitem__,
        key=f"{key} when",
    )
    with st.container(horizontal=True):
        threshold = _draw_threshold(key, trigger, before)
        context = st.selectbox(
            "In the context",
            CONTEXTS,
            index=CONTEXTS.index(before.page_context) if before.page_context in CONTEXTS else 0,
            format_func=lambda context: context or ANY_PAGE,
            key=f"{key} context",
        )
    text = st.text_area(
        "Invitation",
        value=before.text,
        placeholder="Hello! Can I help you?",
        height=90,
        key=f"{key} text",
    )
    cap = st.number_input(
        "At most so many a day", 1, MOST_A_DAY, before.daily_cap, key=f"{key} cap", width=200
    )
    quiet_from, quiet_until = _draw_quiet_hours(key, before, time_zone)
    return Fields(trigger, threshold, context, text, int(cap), quiet_from, quiet_until)


def _draw_threshold(key: str, trigger: Trigger, before: Fields) -> int:
    kept = before.threshold if trigger is before.trigger else None
    if trigger is Trigger.SECONDS:
        return int(
            st.number_input(
                "Seconds on it", 1, LONGEST_WAIT, kept or 30, key=f"{key} seconds", width=130
            )
        )
    if trigger is Trigger.PAGES:
        return int(
            st.number_input("Which page", 1, MOST_PAGES, kept or 3, key=f"{key} pages", width=130)
        )
    return 0


def _draw_quiet_hours(key: str, before: Fields, time_zone: str) -> tuple[int, int]:
    is_quiet = st.toggle(
        "Quiet hours",
        value=before.quiet_from != before.quiet_until,
        help=f"When it invites nobody, by the site's clock ({time_zone}).",
        key=f"{key} quiet",
    )
    if not is_quiet:
        return 0, 0
    hours = (before.quiet_from, before.quiet_until)
    from_at, until_at = map(_time, hours if hours[0] != hours[1] else NIGHT)
    with st.container(horizontal=True):
        begins = st.time_input("From", from_at, key=f"{key} from", width=120)
        ends = st.time_input("Until", until_at, key=f"{key} until", width=120)
    return _minutes(begins), _minutes(ends)


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
