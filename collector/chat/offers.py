"""What a beacon's response says of the chat: an invitation, the site's button, an exit rule."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from collector.chat.actions import deliver
from collector.chat.attendance import Attendance
from collector.chat.waiting_invitations import Invitation, WaitingInvitations
from collector.http.responses import Offer
from collector.site_cache import TrackedSite
from collector.writing.write_queue import WriteQueue
from core.chat.rules import is_due, is_quiet, open_by_rule
from core.chat.states import Trigger
from core.moment import from_milliseconds
from core.reasons import Refused
from core.tables import ChatRule
from core.visits.hit import Accepted, Hit
from core.visits.visit_id import is_derived

MOST_TRIED = 100_000
"""Visits and rules that are remembered as tried; the oldest are forgotten first."""

ATTENDED, UNATTENDED = 1, 2
"""What `b` says of the site's chat button."""


class Offers:
    """Finds offers in memory; a write that one needs is queued, and rarely waited for."""

    def __init__(
        self, waiting: WaitingInvitations, attendance: Attendance, write_queue: WriteQueue
    ) -> None:
        self.waiting = waiting
        self._attendance = attendance
        self._write_queue = write_queue
        self._tried: dict[tuple[int, str, str], None] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def presence_seconds(self) -> int:
        """Seconds between two presence beacons."""
        return self._attendance.presence_seconds

    async def find(self, site: TrackedSite, hit: Hit, taken: Accepted) -> Offer | None:
        """The offer, or None when there is nothing to say."""
        invitation = self.waiting.find(site.id, taken.visit_id)
        if invitation is not None:
            if is_derived(taken.visit_id):
                return await self._hand_to_one(invitation, site, hit)
            return self._hand_over(invitation, site, hit)
        if taken.is_chatting:
            return None
        due = self._find_due(site, hit, taken)
        for rule in due:
            if rule.trigger != Trigger.EXIT:
                self._start(self._invite(rule, site, hit, taken))
        exit_rule = next((rule.id for rule in due if rule.trigger == Trigger.EXIT), "")
        button = (
            (ATTENDED if self._attendance.is_attended else UNATTENDED) if site.chat_button else 0
        )
        return Offer("site", b=button, r=exit_rule) if button or exit_rule else None

    async def _hand_to_one(
        self, invitation: Invitation, site: TrackedSite, hit: Hit
    ) -> Offer | None:
        """Where people may share a visit, only the tab that is stored as the first has the token."""
        if not invitation.tab:
            invitation.tab = hit.tab
            now = from_milliseconds(hit.received_at)
            chosen = await self._write_queue.perform(
                lambda db: deliver(db, site.id, invitation.conversation_id, hit.tab, now)
            )
            invitation.tab = "" if isinstance(chosen, Refused) else chosen
        return self._offer(invitation) if invitation.tab == hit.tab else None

    def _hand_over(self, invitation: Invitation, site: TrackedSite, hit: Hit) -> Offer:
        if invitation.is_queued:
            invitation.is_queued = False
            now = from_milliseconds(hit.received_at)
            self._start(
                self._write_queue.perform(
                    lambda db: deliver(db, site.id, invitation.conversation_id, "", now)
                )
            )
        return self._offer(invitation)

    def _offer(self, invitation: Invitation) -> Offer:
        name = self._attendance.name_of(invitation.agent_id)
        return Offer("invite", k=invitation.token, sender=name, text=invitation.text)

    def _find_due(self, site: TrackedSite, hit: Hit, taken: Accepted) -> list[ChatRule]:
        if not self._attendance.is_attended:
            return []
        now = from_milliseconds(hit.received_at)
        return [
            rule
            for rule in self._attendance.rules(site.id)
            if is_due(
                rule,
                page_context=taken.page_context,
                context_seconds=(hit.received_at - taken.context_at) / 1000,
                page_count=taken.page_count,
            )
            and (site.id, taken.visit_id, rule.id) not in self._tried
            and not is_quiet(rule, site.row.time_zone, now)
        ]

    async def _invite(self, rule: ChatRule, site: TrackedSite, hit: Hit, taken: Accepted) -> None:
        """A visit is tried once by each rule; whether it may be invited, the order finds out."""
        tried = (site.id, taken.visit_id, rule.id)
        self._tried[tried] = None
        if len(self._tried) > MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        now = from_milliseconds(hit.received_at)
        done = await self._write_queue.perform(
            lambda db: open_by_rule(db, rule, site=site.row, visit_id=taken.visit_id, now=now)
        )
        if isinstance(done, Refused):
            self._tried.pop(tried, None)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
