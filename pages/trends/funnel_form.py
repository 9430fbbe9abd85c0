"""The steps of a site's funnel, for admins to change."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.identity import Role
from core.enrich.page_context import LONGEST_PATTERN, PageContext
from core.funnel_steps import LONGEST_STEP_LABEL, MOST_STEPS
from core.sites import SiteError, change_site
from core.tables import Site
from core.trends import DEFAULT_STEPS, FunnelStep
from pages.parts.notices import refusal_title
from pages.parts.snapshots import clear_sites
from pages.parts.texts import notice, small_text
from pages.parts.viewer import REFUSALS, write_as
from pages.sites.saving import draw_saved, keep_saved

HELP = (
    "Write a path for pages of your own: /sale is one page, /sale/* it and everything below. "
    "Without a path the step is the pages of a context."
)
SAVED = "The funnel has these steps now, for everybody who sees this site."
PLACE = "funnel steps"


def draw_funnel_form(site: Site, stored: Sequence[FunnelStep]) -> None:
    """Draw the steps, which are changed one by one and saved together."""
    draw_saved(PLACE)
    with st.expander("Change the steps", key=f"funnel form of {site.key}"):
        key = f"funnel steps of {site.key}"
        steps: list[FunnelStep] = st.session_state.setdefault(key, list(stored))
        for place, step in enumerate(steps):
            _draw_step(steps, place, step, key)
        _draw_new_step(steps, key)
        with st.container(horizontal=True):
            is_sent = st.button("Save steps", type="primary", key=f"save {key}")
            is_default = st.button("Use a shop's usual steps", key=f"default {key}")
        if is_sent:
            _save(site, steps, key)
        if is_default:
            _save(site, DEFAULT_STEPS, key)


def _draw_step(steps: list[FunnelStep], place: int, step: FunnelStep, key: str) -> None:
    def move_up() -> None:
        steps[place - 1 : place + 1] = [steps[place], steps[place - 1]]

    def remove() -> None:
        del steps[place]

    with st.container(horizontal=True, vertical_alignment="center"):
        pages = step.pattern or f"pages with the context {step.page_context}"
        st.text(f"{place + 1}. {step.label}: {pages}", width="stretch")
        number = place + 1
        st.button(
            f"Move step {number} up",
            icon=":material/arrow_upward:",
            key=f"up {place} {key}",
            on_click=move_up,
            disabled=place == 0,
        )
        st.button(
            f"Remove step {number}",
            icon=":material/close:",
            key=f"remove {place} {key}",
            on_click=remove,
        )


def _draw_new_step(steps: list[FunnelStep], key: str) -> None:
    if len(steps) >= MOST_STEPS:
        small_text(f"A funnel has at most {MOST_STEPS} steps: remove one to add another.")
        return
    small_text(HELP)
    form = st.form(f"new {key}", clear_on_submit=True, border=False)
    with form.container(horizontal=True, vertical_alignment="bottom"):
        label = st.text_input("Name", placeholder="Sale", max_chars=LONGEST_STEP_LABEL)
        pattern = st.text_input("Path", placeholder="/sale/*", max_chars=LONGEST_PATTERN)
        context = st.selectbox(
            "or context", [each.value for each in PageContext if each], width=160
        )
        is_sent = st.form_submit_button("Add step")
    if is_sent:
        path = pattern.strip()
        name = label.strip() or path or context
        steps.append(FunnelStep(name, "" if path else context, path))
        st.rerun()


def _save(site: Site, steps: Sequence[FunnelStep], key: str) -> None:
    try:
        write_as(Role.ADMIN, lambda db: change_site(db, site.key, funnel_steps=steps), site)
    except (SiteError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not saved."), kind="bad")
        return
    del st.session_state[key]
    clear_sites()
    keep_saved(SAVED, PLACE)
    st.rerun()
