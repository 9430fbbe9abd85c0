"""Which site a page shows: that of /?site=KEY, else the one chosen last, else the default one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.sites import DEMO_KEY
from core.tables import Site


def requested_key() -> str:
    """The key in the page's address, "" without one."""
    return st.query_params.get("site", "")


def chosen_site(sites: Sequence[Site]) -> Site | None:
    """The site of the address, of this session, or the default one; None when there is none."""
    for key in (requested_key(), st.session_state.get("site")):
        for site in sites:
            if site.key == key:
                st.session_state["site"] = key
                return site
    return default_site(sites)


def default_site(sites: Sequence[Site]) -> Site | None:
    """The first tracked site that is not the demo shop, else the demo shop, else any."""
    tracked = [site for site in sites if site.tracking_enabled]
    ranked = [site for site in tracked if site.key != DEMO_KEY] + tracked + list(sites)
    return ranked[0] if ranked else None


def choose_site(sites: Sequence[Site], site: Site) -> None:
    """Draw the chooser when there is more than one site."""
    if len(sites) < 2:
        return
    by_key = {each.key: each for each in sites}
    st.session_state["site_chooser"] = site.key
    st.selectbox(
        "Site",
        list(by_key),
        format_func=lambda key: _label(by_key[key]),
        key="site_chooser",
        on_change=_choose,
        width=220,
    )


def _choose() -> None:
    key = st.session_state["site_chooser"]
    st.session_state["site"] = key
    st.query_params["site"] = key


def _label(site: Site) -> str:
    return site.name if site.tracking_enabled else f"{site.name} (tracking is off)"
