"""Who asks, and what they may do: the one home of the roles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from core.tables import Site


class Role(IntEnum):
    """What an account may do; each one also what those before it may.

    VIEWER sees the pages, without transcripts. AGENT also chats, invites and reads transcripts. ADMIN
    also changes sites, rules and accounts, and deletes.
    """

    VIEWER = 1
    AGENT = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As it is stored and written: "viewer"."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role | None:
        """The role with this word, or None."""
        return next((role for role in cls if role.word == word), None)


SiteIds = frozenset[int] | None
"""The sites that somebody sees, by their ids; None for every one."""


@dataclass(frozen=True)
class Identity:
    """Who asks. agent_id: 0 where nobody has to sign in. site_ids: those they see.

    session_id: that of the row in `session`, "" where nobody has to sign in.
    """

    agent_id: int
    role: Role
    site_ids: SiteIds = None
    session_id: str = ""

    @property
    def is_signed_in(self) -> bool:
        """Whether this is an account, and not simply whoever sits at this machine."""
        return bool(self.session_id)

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may."""
        return self.role >= role

    def sees(self, site_id: int | None) -> bool:
        """Whether they may see the site with this id."""
        return self.site_ids is None or site_id in self.site_ids

    def seen_of(self, sites: Sequence[Site]) -> list[Site]:
        """Those of the sites that they may see."""
        return [site for site in sites if self.sees(site.id)]


WHOEVER_IS_HERE = Identity(agent_id=0, role=Role.ADMIN)
"""Where nobody has to sign in: only this machine is served, and who uses it may do everything."""


def limit_of(is_limited: bool, site_ids: Collection[int]) -> SiteIds:
    """The `site_ids` of an Identity."""
    return frozenset(site_ids) if is_limited else None
