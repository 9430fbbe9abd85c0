"""Which site a page shows: that of /?site=KEY, else the one chosen last, else the default one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from core.sites import DEMO_KEY
from core.tables import Site
from pages.parts.address import address, change_address
from pages.parts.past_moment import AT, at_parameter, moment_of
from pages.parts.texts import small_text

ALL_SITES = "~all"
"""In the place of a site's key: every tracked site as if they were one. No key has this sign."""

_CHOSEN = "site"
_IS_OTHER = "another site than the one that was meant"


def requested_key() -> str:
    """The key in the page's address, "" without one."""
    key = address().get("site", "")
    return "" if key == ALL_SITES else key


def chosen_site(sites: Sequence[Site], *, or_all: bool = False) -> Site | None:
    """The site of the address, of this session, or the default one; None when there is none.

    or_all: the page can show every site at once, which then counts as a site: see `all_sites`.
    """
    offered = _offered(sites) if or_all else sites
    for key in (address().get("site"), st.session_state.get(_CHOSEN)):
        for site in offered:
            if site.key == key:
                st.session_state[_CHOSEN] = key
                return site
    if sites:
        _forget_choice()
    return default_site(sites)


def draw_other_site(site: Site) -> None:
    """Say which site is shown, if `chosen_site` has not found the one that was meant."""
    if st.session_state.pop(_IS_OTHER, False):
        small_text(f"The site that was shown here is deleted or unknown. This is {site.name}.")


def default_site(sites: Sequence[Site]) -> Site | None:
    """The first tracked site that is not the demo shop, else the demo shop, else any."""
    tracked = [site for site in sites if site.tracking_enabled]
    ranked = [site for site in tracked if site.key != DEMO_KEY] + tracked + list(sites)
    return ranked[0] if ranked else None


def all_sites(sites: Sequence[Site]) -> Site:
    """What stands for all sites in the place of one. It is no row, so it has no id; its time zone is
    the one that all have, or UTC."""
    zones = {site.time_zone for site in sites}
    return Site(
        key=ALL_SITES,
        name="All sites",
        time_zone=zones.pop() if len(zones) == 1 else "UTC",
        tracking_enabled=True,
    )


def sites_shown(site: Site, sites: Sequence[Site]) -> list[Site]:
    """The site, or each one that All sites stands for."""
    if site.key != ALL_SITES:
        return [site]
    return [each for each in sites if each.tracking_enabled]


def choose_site(
    sites: Sequence[Site], site: Site, *, or_all: bool = False, keep: Collection[str] = ()
) -> None:
    """Draw the chooser when there is more than one site.

    keep: parameters of the address that mean the same of another site; a past moment always does.
    """
    if len(sites) < 2:
        return
    by_key = {each.key: each for each in (_offered(sites) if or_all else sites)}
    st.session_state["site_chooser"] = site.key
    st.selectbox(
        "Site",
        list(by_key),
        format_func=lambda key: _label(by_key[key]),
        key="site_chooser",
        on_change=_choose,
        args=(site.time_zone, {key: each.time_zone for key, each in by_key.items()}, keep),
        width=220,
    )


def site_parameter() -> dict[str, str]:
    """What keeps the site in the address of another page: the one chosen last in this session, or that of
    the address. A chat or a visitor of another site, opened from All sites, does not change the choice."""
    is_opened = {"conversation", "visit"} & address().keys()
    named, chosen = address().get("site"), st.session_state.get(_CHOSEN)
    key = (chosen or named) if is_opened else (named or chosen)
    return {"site": key} if key else {}


def _choose(time_zone: str, time_zones: Mapping[str, str], keep: Collection[str]) -> None:
    key = st.session_state["site_chooser"]
    st.session_state[_CHOSEN] = key
    kept = {name: text for name, text in address().items() if name in keep}
    moment = moment_of(address().get(AT, ""), time_zone)
    change_address({"site": key} | kept | at_parameter(moment, time_zones[key]))


def _forget_choice() -> None:
    """A site that is not there is asked for no more."""
    keys = {address().get("site"), st.session_state.pop(_CHOSEN, None)} - {None, ALL_SITES}
    if keys:
        st.session_state[_IS_OTHER] = True
        change_address({name: text for name, text in address().items() if name != "site"})


def _offered(sites: Sequence[Site]) -> list[Site]:
    tracked = [site for site in sites if site.tracking_enabled]
    return [all_sites(tracked), *sites] if len(sites) > 1 and tracked else list(sites)


def _label(site: Site) -> str:
    return site.name if site.tracking_enabled else f"{site.name} (off)"
