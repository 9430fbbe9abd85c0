"""Who is there to answer, who is blocked, and the rules of the sites: what the chat needs at every beacon."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from sqlalchemy import Engine

from collector.site_cache import TrackedSite
from core.agents import attended_sites, list_agents, watched_sites
from core.chat.blocks import Blocked, all_blocked
from core.chat.rules import all_rules
from core.chat.states import OPEN_STATES
from core.database import DATABASE_ERRORS, reading
from core.moment import from_milliseconds
from core.tables import ChatRule, Conversation


class Attendance:
    """Refreshed every 2 seconds. While the database is away, the last state holds."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._rules: dict[int, Sequence[ChatRule]] = {}
        self._names: dict[int, str] = {}
        self._attended: frozenset[int] | None = frozenset()
        self._watched: frozenset[int] | None = frozenset()
        self._blocked = Blocked()

    def rules(self, site_id: int) -> Sequence[ChatRule]:
        """The site's rules that are switched on."""
        return self._rules.get(site_id, ())

    def is_attended(self, site_id: int) -> bool:
        """Whether an agent is available to the site's visitors."""
        return self._attended is None or site_id in self._attended

    def is_watched(self, site_id: int) -> bool:
        """Whether somebody looks at the site: has the dashboard open, and sees it there."""
        return self._watched is None or site_id in self._watched

    def is_blocked(self, site_id: int, visit_id: str, visitor_id: str = "") -> bool:
        """Whether the visit, or its visitor where a beacon names them, is offered no chat."""
        return self._blocked.has(site_id, visit_id, visitor_id)

    def takes_chats(self, site: TrackedSite) -> bool:
        """Whether a visitor who begins a chat now finds somebody; else they leave a message."""
        return self.is_attended(site.id) and site.is_open(from_milliseconds(self._clock()))

    def name_of(self, agent_id: int) -> str:
        """The agent's name, or ""."""
        return self._names.get(agent_id, "")

    def follow(self, changed: Iterable[Conversation]) -> None:
        """Refresh at once where an agent of them is new, or one is over: its visitor may be blocked since.

        A fault costs only the time until the next refresh.
        """
        if any(self._is_new(each.agent_id) or each.state not in OPEN_STATES for each in changed):
            with suppress(*DATABASE_ERRORS):
                self.refresh()

    def _is_new(self, agent_id: int) -> bool:
        return bool(agent_id) and agent_id not in self._names

    def refresh(self) -> None:
        """Read names, rules, presence and blocks again."""
        now = from_milliseconds(self._clock())
        with reading(self._engine) as db:
            self._attended = attended_sites(db, now)
            self._blocked = all_blocked(db, now)
            self._watched = watched_sites(db, now)
            self._names = {agent.id or 0: agent.name for agent in list_agents(db)}
            rules: defaultdict[int, list[ChatRule]] = defaultdict(list)
            for rule in all_rules(db):
                if rule.is_enabled:
                    rules[rule.site_id].append(rule)
        self._rules = dict(rules)
