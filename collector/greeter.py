"""What a beacon's answer says of the chat: an invitation, the site's button, an exit rule."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from collector.answers import Offer
from collector.board import Board, Invitation
from collector.directory import TrackedSite
from collector.orders import Orders
from collector.reception import Reception
from core.chat.invitations import note_delivered
from core.chat.rules import is_due, open_by_rule
from core.chat.words import Trigger
from core.hit import Accepted, Hit
from core.moment import from_milliseconds
from core.tables import ChatRule
from core.visit_id import is_derived

MOST_TRIED = 100_000
"""Visits and rules that are remembered as tried; the oldest are forgotten first."""

ATTENDED, UNATTENDED = 1, 2
"""What `b` says of the site's chat button."""


class Greeter:
    """Asks the board and the reception, both in memory; what it orders, it does not wait for."""

    def __init__(self, board: Board, reception: Reception, orders: Orders) -> None:
        self._board = board
        self._reception = reception
        self._orders = orders
        self._tried: dict[tuple[int, str, str], None] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def presence_seconds(self) -> int:
        """Seconds between two presence beacons."""
        return self._reception.presence_seconds

    def greet(self, site: TrackedSite, hit: Hit, taken: Accepted) -> Offer | None:
        """The offer, or None when there is nothing to say."""
        invitation = self._board.find(site.id, taken.visit_id)
        if invitation is not None:
            return self._hand_over(invitation, site, hit, taken)
        if taken.is_chatting:
            return None
        due = self._find_due(site, hit, taken)
        for rule in due:
            if rule.trigger != Trigger.EXIT:
                self._invite(rule, site, hit, taken)
        exit_rule = next((rule.id for rule in due if rule.trigger == Trigger.EXIT), "")
        button = (
            (ATTENDED if self._reception.is_attended else UNATTENDED) if site.chat_button else 0
        )
        return Offer("site", b=button, r=exit_rule) if button or exit_rule else None

    def _hand_over(
        self, invitation: Invitation, site: TrackedSite, hit: Hit, taken: Accepted
    ) -> Offer | None:
        """Where people may share a visit, only the first tab that asks is given the token."""
        if is_derived(taken.visit_id):
            if invitation.tab not in ("", hit.tab):
                return None
            invitation.tab = hit.tab
        if invitation.is_queued:
            invitation.is_queued = False
            self._note_delivered(invitation, site, hit)
        name = self._reception.name_of(invitation.agent_id)
        return Offer("invite", k=invitation.token, sender=name, text=invitation.text)

    def _find_due(self, site: TrackedSite, hit: Hit, taken: Accepted) -> list[ChatRule]:
        if not self._reception.is_attended:
            return []
        return [
            rule
            for rule in self._reception.rules(site.id)
            if (site.id, taken.visit_id, rule.id) not in self._tried
            and is_due(
                rule,
                page_context=taken.page_context,
                context_seconds=(hit.received_at - taken.context_at) / 1000,
                page_count=taken.page_count,
            )
        ]

    def _invite(self, rule: ChatRule, site: TrackedSite, hit: Hit, taken: Accepted) -> None:
        """A visit is tried once by each rule; whether it may be invited, the order finds out."""
        self._tried[site.id, taken.visit_id, rule.id] = None
        if len(self._tried) > MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        now = from_milliseconds(hit.received_at)
        self._start(
            self._orders.perform(
                lambda db: open_by_rule(db, rule, site=site.row, visit_id=taken.visit_id, now=now)
            )
        )

    def _note_delivered(self, invitation: Invitation, site: TrackedSite, hit: Hit) -> None:
        now = from_milliseconds(hit.received_at)
        self._start(
            self._orders.perform(
                lambda db: note_delivered(
                    db, site.id, invitation.conversation_id, invitation.tab, now
                )
            )
        )

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
