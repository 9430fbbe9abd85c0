"""Rules: when a site invites by itself. A rule is off until its owner switches it on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict, Unpack, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlmodel import col

from core.agents import available_agents
from core.chat.blocks import is_blocked
from core.chat.invitations import invite
from core.chat.states import ConversationState, OpenedBy, Trigger
from core.chat.templates import ChatSettingsError, check_text, hold_site
from core.chat.visit_chat import find_visit_state
from core.enrich.page_context import PageContext
from core.locks import lock_site
from core.random_id import random_id
from core.reasons import Reason, Refused
from core.tables import Agent, ChatRule, Conversation, Site
from core.visits.calendar import day_period, local_day

MAX_RULES = 20
MINUTES_A_DAY = 1_440
LONGEST_WAIT = 1_800
"""Seconds: without activity a visit is over after that."""

DAILY_CAP = 50
MOST_A_DAY = 10_000
MOST_PAGES = 100


class RuleChanges(TypedDict, total=False):
    """What can be changed of a rule."""

    trigger: str
    threshold: int
    page_context: str
    text: str
    is_enabled: bool
    daily_cap: int
    quiet_from: int
    quiet_until: int


def list_rules(db: Connection, site_id: int) -> list[ChatRule]:
    """The site's rules, in the order in which they were added."""
    return _rules(db, col(ChatRule.site_id) == site_id)


def all_rules(db: Connection) -> list[ChatRule]:
    """Every site's rules."""
    return _rules(db)


def add_rule(
    db: Connection, site_id: int, now: datetime, **values: Unpack[RuleChanges]
) -> ChatRule:
    """The new rule, off unless `is_enabled` is set. Raises ChatSettingsError."""
    hold_site(db, site_id)
    if len(list_rules(db, site_id)) >= MAX_RULES:
        raise ChatSettingsError(f"{MAX_RULES} rules are enough: delete one first.")
    columns: dict[str, Any] = {"daily_cap": DAILY_CAP, **values}
    rule = ChatRule(site_id=site_id, id=random_id(), created_at=now, **columns)
    _check(rule)
    db.execute(insert(ChatRule).values(**rule.model_dump()))
    return rule


def change_rule(
    db: Connection, site_id: int, rule_id: str, **changes: Unpack[RuleChanges]
) -> ChatRule:
    """The rule as it is now. Raises ChatSettingsError for an unknown rule or a value that cannot be used."""
    hold_site(db, site_id)
    known = _rules(db, *_is(site_id, rule_id))
    if not known:
        raise ChatSettingsError("This rule is there no more: somebody has deleted it.")
    columns: dict[str, Any] = {**known[0].model_dump(), **changes}
    rule = ChatRule(**columns)
    _check(rule)
    values = rule.model_dump(include=set(RuleChanges.__annotations__))
    db.execute(update(ChatRule).where(*_is(site_id, rule_id)).values(**values))
    return rule


def delete_rule(db: Connection, site_id: int, rule_id: str) -> None:
    """Delete the rule; one that is not there is gone already. Raises ChatSettingsError."""
    hold_site(db, site_id)
    db.execute(delete(ChatRule).where(*_is(site_id, rule_id)))


def is_due(rule: ChatRule, *, page_context: str, context_seconds: float, page_count: int) -> bool:
    """Whether the rule invites a visit after so long in its context and so many pages.

    A pages rule is due from that page on: beacons may arrive late, or carry several views.
    An exit rule is due at any time in its context: the browser reports when the visitor leaves.
    """
    if not rule.is_enabled or rule.page_context not in ("", page_context):
        return False
    if rule.trigger == Trigger.SECONDS:
        return context_seconds >= rule.threshold
    return rule.trigger == Trigger.EXIT or page_count >= rule.threshold


def due_after(rule: ChatRule, *, page_context: str, context_seconds: float) -> float | None:
    """Seconds after which the rule invites a visit that stays in its context; None: only something
    else than time makes it due."""
    is_timed = rule.is_enabled and rule.trigger == Trigger.SECONDS
    if not is_timed or rule.page_context not in ("", page_context):
        return None
    return max(rule.threshold - context_seconds, 0)


def is_quiet(rule: ChatRule, time_zone: str, now: datetime) -> bool:
    """Whether `now` lies in the rule's quiet hours, which may go past midnight."""
    local = now.astimezone(ZoneInfo(time_zone))
    minute = local.hour * 60 + local.minute
    if rule.quiet_from <= rule.quiet_until:
        return rule.quiet_from <= minute < rule.quiet_until
    return minute >= rule.quiet_from or minute < rule.quiet_until


def open_by_rule(
    db: Connection, rule_id: str, *, site: Site, visit_id: str, now: datetime
) -> Conversation | Refused:
    """The invitation that the rule sends, or NOT_NOW.

    Only while an agent is available, outside the quiet hours, up to the daily cap, and to a visit
    that has had no conversation and no invitation yet, and is not blocked. It comes from the available agent with the
    fewest open conversations.
    """
    site_id = cast(int, site.id)
    lock_site(db, site_id)
    known = _rules(db, *_is(site_id, rule_id))
    agents = available_agents(db, now, site_id)
    if (
        not known
        or not known[0].is_enabled
        or not agents
        or is_quiet(known[0], site.time_zone, now)
        or _has_had_one(db, site_id, visit_id)
        or _is_blocked(db, site_id, visit_id)
        or _count_today(db, known[0], site.time_zone, now) >= known[0].daily_cap
    ):
        return Refused(Reason.NOT_NOW)
    return invite(
        db,
        site_id=site_id,
        visit_id=visit_id,
        agent_id=_least_busy(db, agents),
        text=known[0].text,
        now=now,
        opened_by=OpenedBy.RULE,
        rule_id=rule_id,
    )


def _is_blocked(db: Connection, site_id: int, visit_id: str) -> bool:
    visit = find_visit_state(db, site_id, visit_id)
    return visit is not None and is_blocked(db, site_id, visit_id, visit.visitor_id)


def _check(rule: ChatRule) -> None:
    rule.text = check_text(rule.text)
    if rule.trigger not in list(Trigger):
        raise ChatSettingsError(f"The trigger '{rule.trigger}' is not known: choose one.")
    if rule.page_context not in list(PageContext):
        raise ChatSettingsError(f"The context '{rule.page_context}' is not known: choose one.")
    most = {Trigger.SECONDS: LONGEST_WAIT, Trigger.PAGES: MOST_PAGES}
    if rule.trigger == Trigger.EXIT:
        rule.threshold = 0
    elif not 1 <= rule.threshold <= most[Trigger(rule.trigger)]:
        raise ChatSettingsError(
            f"{rule.threshold} cannot be used: write 1 to {most[Trigger(rule.trigger)]:,}."
        )
    if not 1 <= rule.daily_cap <= MOST_A_DAY:
        raise ChatSettingsError(
            f"The daily cap {rule.daily_cap} cannot be used: write 1 to {MOST_A_DAY:,}."
        )
    if not all(0 <= minute < MINUTES_A_DAY for minute in (rule.quiet_from, rule.quiet_until)):
        raise ChatSettingsError("The quiet hours cannot be used: choose times of a day.")


def _rules(db: Connection, *conditions: Any) -> list[ChatRule]:
    statement = (
        select(ChatRule)
        .where(*conditions)
        .order_by(col(ChatRule.site_id), col(ChatRule.created_at), col(ChatRule.id))
    )
    return [ChatRule(**row) for row in db.execute(statement).mappings()]


def _has_had_one(db: Connection, site_id: int, visit_id: str) -> bool:
    had = select(col(Conversation.id)).where(
        col(Conversation.site_id) == site_id, col(Conversation.visit_id) == visit_id
    )
    return db.execute(had.limit(1)).first() is not None


def _count_today(db: Connection, rule: ChatRule, time_zone: str, now: datetime) -> int:
    day = day_period(local_day(time_zone, now), time_zone)
    statement = select(func.count()).where(
        col(Conversation.site_id) == rule.site_id,
        col(Conversation.created_at) >= day.from_at,
        col(Conversation.created_at) < day.until_at,
        col(Conversation.rule_id) == rule.id,
    )
    return db.execute(statement).scalar_one()


def _least_busy(db: Connection, agents: Iterable[Agent]) -> int:
    statement = (
        select(col(Conversation.agent_id), func.count())
        .where(col(Conversation.state) == ConversationState.OPEN.value)
        .group_by(col(Conversation.agent_id))
    )
    busy = {row[0]: row[1] for row in db.execute(statement).all()}
    return min((agent.id or 0 for agent in agents), key=lambda agent_id: busy.get(agent_id, 0))


def _is(site_id: int, rule_id: str) -> tuple[Any, Any]:
    return col(ChatRule.site_id) == site_id, col(ChatRule.id) == rule_id
