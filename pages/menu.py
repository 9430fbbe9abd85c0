"""The pages of the sidebar, and who may open them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from core.accounts.identity import Role
from core.deadline import DatabaseUnavailable
from core.moment import utc_now
from pages.own_pages.own_page import OwnPage, own_pages
from pages.parts.agent_box import OWN_ACCOUNT
from pages.parts.site_choice import site_parameter
from pages.parts.snapshots import latest_sites
from pages.parts.texts import heading, notice
from pages.parts.title import draw_title
from pages.parts.viewer import MAY_NOT, NOT_ALL_SITES, may, viewer_of_run


class MenuPage(NamedTuple):
    """A page, and the least role that opens it; is_for_all_sites: only for who sees every site."""

    page: st.Page
    role: Role = Role.VIEWER
    is_for_all_sites: bool = False

    @property
    def refusal(self) -> str:
        """Why the viewer may not open it; "" when they may, and while that is not known: it says why it is empty."""
        try:
            identity = viewer_of_run()
        except DatabaseUnavailable:
            return ""
        if not identity.may(self.role):
            return MAY_NOT[self.role]
        return NOT_ALL_SITES if self.is_for_all_sites and identity.site_ids is not None else ""

    @property
    def is_in_menu(self) -> bool:
        """Whether the sidebar has a link to it, for this viewer."""
        return self.page.visibility == "visible" and not self.refusal


def pages() -> list[MenuPage]:
    """Every page, the default one first; what the viewer may not open is among them, to say so.

    When there are sites but none is tracked, there is no Visitor Monitor, and `/` opens Sites, for who
    can switch the tracking on.
    """
    snapshot = latest_sites(utc_now())
    is_idle = snapshot.sites is not None and not snapshot.tracked and may(Role.ADMIN)
    sites = _page("sites", "Sites", "storefront", Role.AGENT, default=is_idle)
    trends = _page("trends", "Trends", "trending_up")
    chats = _page("chats", "Chats", "forum", Role.AGENT)
    accounts = _page("accounts", "Accounts", "group", Role.ADMIN)._replace(is_for_all_sites=True)
    health = _page("health", "Health", "monitor_heart", Role.ADMIN)._replace(is_for_all_sites=True)
    visitor = _page("visitor", "Visitor", "person", visibility="hidden")
    own_account = MenuPage(
        st.Page(
            OWN_ACCOUNT,
            title="Your account",
            icon=":material/account_circle:",
            url_path="account",
            visibility="hidden",
        )
    )
    own = [_own_page(page) for page in own_pages()]
    if is_idle:
        return [sites, trends, chats, accounts, health, *own, visitor, own_account]
    live = _page("live", "Visitor Monitor", "visibility", default=True)
    return [live, trends, chats, sites, accounts, health, *own, visitor, own_account]


def run_page(page: st.Page, offered: Sequence[MenuPage]) -> None:
    """Run the page, or say that the viewer may not open it."""
    chosen = next(each for each in offered if each.page.url_path == page.url_path)
    refusal = chosen.refusal
    if not refusal:
        page.run()
        return
    draw_title(page.title)
    heading(page.title)
    notice(refusal, title="This page is not for your account.")


def draw_menu(offered: Sequence[MenuPage]) -> None:
    """Draw the links of the sidebar; each keeps the chosen site."""
    with st.sidebar, st.container(gap="xsmall", key="menu"):
        for each in offered:
            if each.is_in_menu:
                st.page_link(each.page, query_params=site_parameter())


def _page(folder: str, title: str, icon: str, role: Role = Role.VIEWER, **options: Any) -> MenuPage:
    script = f"{folder}/page.py"
    page = st.Page(script, title=title, icon=f":material/{icon}:", url_path=folder, **options)
    return MenuPage(page, role)


def _own_page(own: OwnPage) -> MenuPage:
    words = own.words
    page = st.Page(own.draw, title=words.title, icon=words.icon, url_path=own.address)
    return MenuPage(page, words.role)
