"""What a beacon's response offers for the chat: an invitation, the site's button, an exit rule."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any

from msgspec import Struct, field

from collector.chat.actions import Delivered, DeliverInvitation, InviteByRule, Invited
from collector.chat.attendance import Attendance
from collector.chat.waiting_invitations import Invitation, WaitingInvitations
from collector.site_cache import TrackedSite
from collector.writing.write_queue import WriteQueue
from core.chat.rules import due_after, is_due, is_quiet
from core.chat.states import Trigger
from core.moment import from_milliseconds
from core.reasons import Reason, Refused
from core.tables import ChatRule
from core.visits.hit import Accepted, EventKind, Hit
from core.visits.visit_id import is_derived

MOST_TRIED = 100_000
"""Visits and rules that are remembered as tried; the oldest are forgotten first."""

ATTENDED, UNATTENDED = 1, 2
"""What `b` says of the site's chat button."""

_NOT_WRITTEN = (Reason.QUEUE_FULL, Reason.NOT_COMMITTED, Reason.FAULT)
"""The rule has not been tried yet: it is tried again at the next beacon."""

PRESENCE_SECONDS = 20
"""Seconds between two presence beacons, whoever looks: an invitation does not wait for one (`listen_route.py`)."""

SHORTEST_PACE = 3
"""Seconds between two presence beacons that a rule may ask for (docs/beacon.md)."""


class Offer(Struct, omit_defaults=True):
    """An offer as it travels (docs/beacon.md): an invitation, or what the site has."""

    t: str
    k: str = ""
    sender: str = field(default="", name="from")
    text: str = ""
    b: int = 0
    r: str = ""


class Offers:
    """Finds offers in memory. The writes that they need are queued, and rarely waited for."""

    def __init__(
        self, waiting: WaitingInvitations, attendance: Attendance, write_queue: WriteQueue
    ) -> None:
        self.waiting = waiting
        self._attendance = attendance
        self._write_queue = write_queue
        self._tried: dict[tuple[int, str, str], None] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    def invitation(self, invited: Invited | Invitation) -> Offer:
        """The invitation as an offer, with its agent's name."""
        name = self._attendance.name_of(invited.agent_id)
        return Offer("invite", k=invited.token, sender=name, text=invited.text)

    def find(
        self, site: TrackedSite, hit: Hit, accepted: Accepted
    ) -> Offer | Awaitable[Offer | None] | None:
        """The offer for the visit that took the hit, or None; to be awaited where it is stored before it is made."""
        # A page that is left reads no answer: who comes back asks again.
        if hit.events[-1].kind is EventKind.HIDDEN:
            return self._of_site(site, hit, accepted)
        invitation = self.waiting.find(site.id, accepted.visit_id)
        if invitation is None:
            return self._by_rules(site, hit, accepted)
        if not is_derived(accepted.visit_id):
            return self._hand_over(invitation, site.id, hit.received_at)
        return self._to_one_tab(invitation, site, hit, accepted)

    async def news_for(
        self, site_id: int, visit_ids: Sequence[str], tab: str, now: int
    ) -> Offer | None:
        """The invitation that waits for the visit, of which these are the ids that it may have; None: not for this tab.

        Who is blocked gets the offer of nothing: the button goes at once.
        """
        for visit_id in visit_ids:
            invitation = self.waiting.find(site_id, visit_id)
            if invitation is None:
                continue
            if not is_derived(visit_id):
                return self._hand_over(invitation, site_id, now)
            if await self._is_for_tab(invitation, site_id, tab, now):
                return self.invitation(invitation)
        is_blocked = any(self._attendance.is_blocked(site_id, visit_id) for visit_id in visit_ids)
        return Offer("site") if is_blocked else None

    def is_open_to(self, hit: Hit, accepted: Accepted, offer: Offer | None) -> bool:
        """Whether the visit could still be invited, beside what it is offered."""
        if offer is not None and offer.k:
            return False
        return accepted.has_room and not self._is_blocked(hit, accepted)

    async def _to_one_tab(
        self, invitation: Invitation, site: TrackedSite, hit: Hit, accepted: Accepted
    ) -> Offer | None:
        if await self._is_for_tab(invitation, site.id, hit.tab, hit.received_at):
            return self.invitation(invitation)
        found = self._by_rules(site, hit, accepted)
        return await found if isinstance(found, Awaitable) else found

    def _by_rules(
        self, site: TrackedSite, hit: Hit, accepted: Accepted
    ) -> Offer | Awaitable[Offer | None] | None:
        due = self._attendance.rules(site.id) and self._due_rules(site, hit, accepted)
        if not due:
            return self._of_site(site, hit, accepted)
        exit_rule = next((rule.id for rule in due if rule.trigger == Trigger.EXIT), "")
        inviting = [rule.id for rule in due if rule.trigger != Trigger.EXIT]
        if inviting:
            return self._invite_or_offer(inviting, exit_rule, site, hit, accepted)
        return self._of_site(site, hit, accepted, exit_rule)

    async def _invite_or_offer(
        self,
        inviting: Sequence[str],
        exit_rule: str,
        site: TrackedSite,
        hit: Hit,
        accepted: Accepted,
    ) -> Offer | None:
        if invited := await self._invite(inviting, site, hit, accepted):
            return self.invitation(invited)
        return self._of_site(site, hit, accepted, exit_rule)

    def _of_site(
        self, site: TrackedSite, hit: Hit, accepted: Accepted, exit_rule: str = ""
    ) -> Offer | None:
        """The site's button and the rule for who leaves, where the visit has room for a chat."""
        if not (site.chat_button or exit_rule):
            return None
        if not accepted.has_room or self._is_blocked(hit, accepted):
            return None
        word = ATTENDED if self._attendance.takes_chats(site) else UNATTENDED
        return Offer("site", b=word if site.chat_button else 0, r=exit_rule)

    def pace(self, seconds: int, site: TrackedSite, hit: Hit, accepted: Accepted) -> int:
        """Seconds to the next presence beacon: so many, or fewer where a rule falls due before.

        A whole second later than that, so that the beacon is never a moment too early. No fewer while
        the collector slows its pages down, or an invitation waits for the visit.
        """
        open_rules = self._open_rules(site, hit, accepted)
        if not open_rules or seconds > PRESENCE_SECONDS:
            return seconds
        if self.waiting.find(site.id, accepted.visit_id) is not None:
            return seconds
        waits = [
            due_after(
                rule,
                page_context=accepted.page_context,
                context_seconds=_context_seconds(hit, accepted),
            )
            for rule in open_rules
        ]
        soonest = min((int(wait) + 1 for wait in waits if wait), default=seconds)
        return min(seconds, max(soonest, SHORTEST_PACE))

    async def _is_for_tab(self, invitation: Invitation, site_id: int, tab: str, now: int) -> bool:
        """Where people may share a visit, only the tab that is stored as the first has the token."""
        if not invitation.tab:
            invitation.tab = tab
            action = DeliverInvitation(site_id, invitation.conversation_id, tab, now)
            delivered = await self._write_queue.commit(action)
            invitation.tab = delivered.tab if isinstance(delivered, Delivered) else ""
        return invitation.tab == tab

    def _hand_over(self, invitation: Invitation, site_id: int, now: int) -> Offer:
        if invitation.is_queued:
            invitation.is_queued = False
            action = DeliverInvitation(site_id, invitation.conversation_id, "", now)
            self._start(self._write_queue.commit(action))
        return self.invitation(invitation)

    def _due_rules(self, site: TrackedSite, hit: Hit, accepted: Accepted) -> list[ChatRule]:
        return [
            rule
            for rule in self._open_rules(site, hit, accepted)
            if is_due(
                rule,
                page_context=accepted.page_context,
                context_seconds=_context_seconds(hit, accepted),
                page_count=accepted.page_count,
            )
        ]

    def _open_rules(self, site: TrackedSite, hit: Hit, accepted: Accepted) -> list[ChatRule]:
        """The rules that may still invite the visit."""
        rules = self._attendance.rules(site.id)
        if not (rules and accepted.has_room and self._attendance.is_attended(site.id)):
            return []
        if self._is_blocked(hit, accepted):
            return []
        now = from_milliseconds(hit.received_at)
        return [
            rule
            for rule in rules
            if (site.id, accepted.visit_id, rule.id) not in self._tried
            and not is_quiet(rule, site.time_zone, now)
        ]

    def _is_blocked(self, hit: Hit, accepted: Accepted) -> bool:
        visitor_id = hit.opening.visitor_id if hit.opening is not None else ""
        return self._attendance.is_blocked(hit.site_id, accepted.visit_id, visitor_id)

    async def _invite(
        self, rule_ids: Sequence[str], site: TrackedSite, hit: Hit, accepted: Accepted
    ) -> Invited | None:
        """The invitation of one of the rules, or None.

        Each is tried once on a visit: the writer finds out whether it may be invited.
        """
        tried = [(site.id, accepted.visit_id, rule_id) for rule_id in rule_ids]
        self._tried.update(dict.fromkeys(tried))
        while len(self._tried) > MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        action = InviteByRule(
            site.id, site.key, tuple(rule_ids), accepted.visit_id, hit.tab, hit.received_at
        )
        result = await self._write_queue.commit(action)
        if isinstance(result, Refused) and result.reason in _NOT_WRITTEN:
            for each in tried:
                self._tried.pop(each, None)
        return result if isinstance(result, Invited) else None

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def _context_seconds(hit: Hit, accepted: Accepted) -> float:
    """How long the visit has been in its page context."""
    return (hit.received_at - accepted.context_at) / 1000
