"""A site's own context rules, and a box to try an address."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.page_context import ContextRule, PageContext, context_of_url, make_rule
from core.tables import Site
from pages.sites.saving import save
from pages.words import notice, quiet

HELP = (
    "The first rule that fits a page decides; without one the built-in rules do. A pattern is a "
    "path: /sale is one page, /sale/* it and everything below, * stands for any text."
)


def draw_rules(site: Site) -> None:
    """The rules as an editable table, and below it the test of an address with them."""
    quiet(HELP)
    rules = site.rules()
    edited = st.data_editor(
        pd.DataFrame(
            {
                "pattern": pd.Series([rule.pattern for rule in rules], dtype="str"),
                "context": pd.Series([str(rule.context) for rule in rules], dtype="str"),
            }
        ),
        num_rows="dynamic",
        hide_index=True,
        column_config={
            "pattern": st.column_config.TextColumn("Pattern", required=True, max_chars=200),
            "context": st.column_config.SelectboxColumn(
                "Context",
                options=[context.value for context in PageContext if context],
                required=True,
            ),
        },
        key=f"rules of {site.key} {hash(rules)}",
    )
    made, fault = _made(edited)
    if fault:
        notice(fault, title="This rule cannot be used.", kind="bad")
    if st.button("Save rules", type="primary", disabled=bool(fault) or made == list(rules)):
        save(
            site,
            context_rules=[{"pattern": r.pattern, "context": r.context.value} for r in made],
        )
    _draw_test(made)


def _made(edited: pd.DataFrame) -> tuple[list[ContextRule], str]:
    made: list[ContextRule] = []
    for pattern, context in edited.fillna("").itertuples(index=False):
        try:
            made.append(make_rule(str(pattern), str(context)))
        except ValueError as error:
            return made, f"{pattern}: {error}."
    return made, ""


def _draw_test(rules: list[ContextRule]) -> None:
    url = st.text_input(
        "Test a URL",
        placeholder="https://shop.example/sale/teapots",
        help="With the rules above, saved or not.",
        max_chars=2_000,
    )
    if url.strip():
        context = context_of_url(url, rules)
        notice(str(context) or "No context: the badge stays empty.", title="Context:")
