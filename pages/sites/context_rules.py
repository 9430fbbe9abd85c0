"""A site's own context rules, and a field to test an address."""

from __future__ import annotations

import streamlit as st

from core.enrich.page_context import ContextRule, PageContext, context_of_url, make_rule
from core.tables import Site
from pages.parts.texts import notice, small_text
from pages.sites.saving import save

HELP = (
    "The first rule that fits a page decides; without one the built-in rules do. A pattern is a "
    "path: /sale is one page, /sale/* it and everything below, * stands for any text."
)


def draw_rules(site: Site) -> None:
    """Draw the rules in their order, the fields of a new one, and the test of an address."""
    small_text(HELP)
    rules = list(site.rules())
    for position, rule in enumerate(rules):
        _draw_rule(site, rules, position, rule)
    _draw_new_rule(site, rules)
    _draw_test(rules)


def _draw_rule(site: Site, rules: list[ContextRule], position: int, rule: ContextRule) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{position + 1}. {rule.pattern}", width="stretch")
        st.text(rule.context.value or "no context")
        is_removed = st.button(
            "Remove", icon=":material/close:", key=f"remove {position} of {site.key}"
        )
    if is_removed:
        _save(site, rules[:position] + rules[position + 1 :])


def _draw_new_rule(site: Site, rules: list[ContextRule]) -> None:
    form = st.form(f"rule of {site.key}", clear_on_submit=True, border=False)
    with form.container(horizontal=True, vertical_alignment="bottom"):
        pattern = st.text_input("Pattern", placeholder="/sale/*", max_chars=200)
        context = st.selectbox(
            "Context", [context.value for context in PageContext if context], width=160
        )
        is_sent = st.form_submit_button("Add rule")
    if not is_sent:
        return
    try:
        new = make_rule(pattern, context)
    except ValueError as error:
        notice(f"{error}.", title="This rule cannot be used.", kind="bad")
        return
    _save(site, [*rules, new])


def _draw_test(rules: list[ContextRule]) -> None:
    url = st.text_input(
        "Test an address", placeholder="https://shop.example/sale/teapots", max_chars=2_000
    )
    if not url.strip():
        return
    if "/" not in url:
        notice("Write it as https://shop.example/sale or /sale.", title="This is no address.")
        return
    context = context_of_url(url, rules)
    if context:
        notice(str(context), title="Context:")
    else:
        notice("The page has no badge.", title="No context.")


def _save(site: Site, rules: list[ContextRule]) -> None:
    save(
        site,
        context_rules=[{"pattern": rule.pattern, "context": rule.context.value} for rule in rules],
    )
