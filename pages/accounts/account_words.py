"""What an account may do and how it gets in, in words."""

from __future__ import annotations

from collections.abc import Sequence

from core.accounts.accounts import Account
from core.accounts.identity import Role
from core.accounts.sessions import Way
from core.accounts.team import Member
from core.settings import settings
from core.tables import Site

ROLE_NAMES = {Role.VIEWER: "Viewer", Role.AGENT: "Agent", Role.ADMIN: "Admin"}
ROLE_HELP = {
    Role.VIEWER: "Sees the visitors and the numbers.",
    Role.AGENT: "Also chats with visitors, invites them, and reads past chats.",
    Role.ADMIN: "Also changes sites, rules and accounts, and deletes.",
}
WAY_NAMES = {
    Way.PASSWORD: "Password",
    Way.OIDC: "OpenID Connect",
    Way.PROXY: "Proxy",
}


def role_in_words(role: Role) -> str:
    """All that somebody with this role may do."""
    return " ".join(ROLE_HELP[each] for each in Role if each <= role)


def sites_in_words(account: Account, sites: Sequence[Site]) -> str:
    """The sites that the account sees: "All sites", or their names."""
    if account.site_ids is None:
        return "All sites"
    return ", ".join(site.name for site in sites if site.id in account.site_ids) or "No site"


def ways_in_words(member: Member) -> str:
    """How they can sign in: "Password, OpenID Connect"."""
    return ", ".join(WAY_NAMES[way] for way in member.ways)


def is_known_elsewhere() -> bool:
    """Whether accounts can sign in by their e-mail address alone: an issuer or a proxy vouches for it."""
    chosen = settings()
    return bool(chosen.oidc_issuer or chosen.sign_in_header)
