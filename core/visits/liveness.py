"""Whether a visit is live, in view, chatting or idle: each rule once, for every use.

A visit is here anything with the columns of the table `visit`: a row, `Visit` itself (the answer is
then a condition of SQL), or a frame (the answer is then a series). `now` is in the unit of its
moments: a datetime for rows of the ORM and for SQL, whole milliseconds for what keeps those.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.moment import lasts_for, lasts_until, length_for
from core.visits.presence import (
    CHATTING_FOR,
    CLOCK_SLACK,
    IDLE_AFTER,
    IN_VIEW_FOR,
    VISIT_ENDS_AFTER,
    ChatSource,
)
from core.visits.visit_id import is_derived


def is_live(visit: Any, now: Any) -> Any:
    """Whether the visit is on the site: it has not ended, and no wrong clock has written it."""
    return (
        visit_goes_on(visit.last_activity_at, now)
        & is_plausible(visit.last_activity_at, now)
        & is_plausible(visit.started_at, now)
    )


def visit_goes_on(last_activity_at: Any, now: Any) -> Any:
    """Whether activity at `now` would belong to the visit whose last activity was at that moment."""
    return lasts_for(VISIT_ENDS_AFTER, last_activity_at, now)


def visit_ends_at(last_activity_at: Any) -> Any:
    """When the visit ends unless there is more activity."""
    return last_activity_at + length_for(last_activity_at, VISIT_ENDS_AFTER)


def is_plausible(moment: Any, now: Any) -> Any:
    """Whether the moment was not written by a clock that ran ahead and has since jumped back."""
    return moment <= now + length_for(now, CLOCK_SLACK)


def is_in_view(visit: Any, now: Any) -> Any:
    """Whether one of the visit's tabs is in view."""
    return lasts_until(visit.in_view_until, now)


def is_tab_in_view(newest_at: Any, now: Any) -> Any:
    """Whether a tab whose newest event, at this moment, has shown its page is still in view."""
    return lasts_for(IN_VIEW_FOR, newest_at, now)


def tab_in_view_until(newest_at: Any) -> Any:
    """Until when a tab is in view without another event."""
    return newest_at + length_for(newest_at, IN_VIEW_FOR)


def is_chatting(visit: Any, now: Any) -> Any:
    """Whether the visit is in a chat, ours or another product's, that is not silent for too long."""
    if visit.chat_message_at is None:
        return False
    in_chat = visit.chat_source != ChatSource.NONE.value
    return in_chat & lasts_for(CHATTING_FOR, visit.chat_message_at, now)


def has_room(visit: Any, visit_id: str, now: Any) -> bool:
    """Whether there is room for another chat: the visit is not chatting, or only with us, and several
    people may be behind its id. Only for one row."""
    if not is_chatting(visit, now):
        return True
    return is_derived(visit_id) and visit.chat_source == ChatSource.BUILT_IN.value


def is_idle(visit: Any, now: Any) -> Any:
    """Whether the visitor has done nothing for so long that they are idle."""
    return visit.last_activity_at <= now - length_for(now, IDLE_AFTER)


def is_idle_length(quiet: timedelta) -> bool:
    """Whether a visitor who has done nothing for so long is idle."""
    return quiet >= IDLE_AFTER
