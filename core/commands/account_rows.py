"""The accounts as a command lists them: a row of words each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from core.accounts.sessions import Way

if TYPE_CHECKING:
    from core.accounts.team import Member
    from core.tables import Agent

HEADINGS = ("ID", "NAME", "E-MAIL", "ROLE", "SITES", "SIGNS IN BY", "SESSIONS", "LAST SEEN (UTC)")
_WAYS = {Way.PASSWORD: "password", Way.OIDC: "OpenID Connect", Way.PROXY: "proxy"}


def account_row(member: Member, keys: Mapping[int, str]) -> tuple[str, ...]:
    """The account below HEADINGS. keys: of the sites, by their ids."""
    account = member.account
    sites = sorted(keys[each] for each in account.site_ids or () if each in keys)
    return (
        str(account.id),
        account.agent.name,
        account.agent.email,
        account.role.word,
        "all" if account.site_ids is None else ", ".join(sites) or "none",
        ", ".join(_ways(member)) or "nothing yet",
        str(len(member.sessions)),
        _moment(member.seen_at) if member.seen_at else "never",
    )


def row_of_no_account(agent: Agent) -> tuple[str, ...]:
    """The agent, who cannot sign in, below HEADINGS."""
    nothing = [""] * 3
    return (str(agent.id), agent.name, "", "no account", *nothing, _moment(agent.seen_at))


def _ways(member: Member) -> list[str]:
    link = ["link, not used yet"] if member.link_until else []
    return [*(_WAYS[way] for way in member.ways), *link]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
