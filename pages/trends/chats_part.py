"""Chats beside purchases: who was invited, who accepted, and who of them purchased."""

from __future__ import annotations

from datetime import datetime

from streamlit.delta_generator import DeltaGenerator

from core.tables import Site
from core.trends import TrendPeriod, chat_effect
from pages.parts.charts import draw_chart
from pages.parts.texts import day_and_time_of, notice, small_text
from pages.trends.charts import chat_effect as chart_of_chats
from pages.trends.number_table import draw_number_table
from pages.trends.reading import read_or_kept
from pages.trends.view import TrendView

CAUTION = (
    "Agents and rules invite those who look like buyers, so these visits differ before anybody writes a word. "
    "That more of them purchase does not show that the chat is why."
)
RULE = (
    "A purchase is a page with the context Purchased; of those in a chat it counts after the invitation, "
    "or after the chat began. Accepted invitations are among the invited ones, too."
)
LABELS = {"label": "Visits", "visits": "How Many", "purchased": "Purchased", "share": "Share"}


def draw_chats(
    site: Site, view: TrendView, period: TrendPeriod, now: datetime, slot: DeltaGenerator
) -> None:
    """Draw the part, or in the slot why it cannot be read."""
    told = read_or_kept(
        "chats shown",
        (site.identity, period),
        lambda db, tell: chat_effect(db, site, period),
        site,
        slot,
    )
    if told is None:
        return
    frame = told.frame
    if view.chosen():
        small_text("The filters do not narrow these numbers: they are of all visits.")
    if told.rows_since is not None:
        since = day_and_time_of(told.rows_since, site.time_zone)
        small_text(
            f"Told of stored visits; those that began before {since} are deleted for their age."
        )
    if not frame["visits"].sum():
        which = "No visit" if told.rows_since is None else "No visit that is stored"
        notice("Choose other days.", title=f"{which} began in these days.")
        return
    notice(CAUTION, title="This is no experiment.")
    highest = max(frame["share"].max(), 1e-9)
    draw_chart(
        chart_of_chats.chart,
        frame.assign(
            level=frame["share"] / highest,
            told=[
                f"{share:.1%} ({purchased:,} of {visits:,})"
                for share, purchased, visits in frame[["share", "purchased", "visits"]].itertuples(
                    index=False
                )
            ],
        ),
        "Which share of visits purchased, by what became of a chat",
        title="Purchased",
        name="chats-and-purchases",
        site_ids=[site.id or 0],
        labels=LABELS,
    )
    draw_number_table(
        "Visits by what became of a chat",
        tuple(LABELS.values()),
        [
            (label, f"{visits:,}", f"{purchased:,}", f"{share:.1%}" if visits else "–")
            for label, visits, purchased, share in frame[list(LABELS)].itertuples(index=False)
        ],
    )
    if not frame["visits"].iloc[1:].sum():
        small_text("Nobody was invited in these days, and nobody began a chat.")
    small_text(RULE)
