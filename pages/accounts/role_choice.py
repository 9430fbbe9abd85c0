"""The fields by which an account's role and its sites are chosen."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.identity import Role
from core.tables import Site
from pages.accounts.account_words import ROLE_HELP, ROLE_NAMES

SITES_HELP = "Off: every site, also those that are added later."
NO_SITE = "No site is chosen: choose one, or switch Only some sites off."


def choose_role(role: Role, key: str) -> Role:
    """Draw the roles with what each may do; the chosen one, `role` at first."""
    roles = list(Role)
    return st.radio(
        "Role",
        roles,
        index=roles.index(role),
        format_func=lambda each: ROLE_NAMES[each],
        captions=[ROLE_HELP[each] for each in roles],
        key=f"role {key}",
    )


def choose_sites(
    sites: Sequence[Site], site_ids: frozenset[int] | None, key: str
) -> frozenset[int] | None:
    """Draw the choice of sites; those that are chosen, None for all of them, `site_ids` at first."""
    if not st.toggle("Only some sites", site_ids is not None, help=SITES_HELP, key=f"some {key}"):
        return None
    names = {site.id: site.name for site in sites if site.id is not None}
    chosen = st.multiselect(
        "Sites",
        list(names),
        [each for each in names if each in (site_ids or ())],
        format_func=lambda each: names[each],
        placeholder="Choose sites",
        key=f"sites {key}",
    )
    return frozenset(chosen)
