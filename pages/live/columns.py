"""The columns of the visitor table and of the breakdowns: names, labels, kinds and colours, once.

docs/charts.md shows how to add one.
"""

from __future__ import annotations

from core.chat.states import ConversationState
from core.enrich.page_context import PageContext
from core.visits.presence import Status
from pages.parts.table.component import Colour, Column, Kind, RowAction

STATUS_COLOURS = {
    Status.CHATTING.value: Colour("#2563eb"),
    Status.BROWSING.value: Colour("#22a957", text="#03160b"),
}

CONTEXT_COLOURS = {
    PageContext.IN_CHECKOUT.value: Colour("#f5b316", text="#231700"),
    PageContext.CART.value: Colour("#c2410c"),
    PageContext.PRODUCT.value: Colour("#7e22ce"),
    PageContext.COLLECTION.value: Colour("#4338ca"),
    PageContext.SEARCH.value: Colour("#38bdf8", text="#04202e"),
    PageContext.PURCHASED.value: Colour("#15803d"),
}
"""Amber, orange, purple, indigo, sky blue, green; the text on each has a contrast of 4.5:1 or
more (tests/pages/live/test_columns.py)."""

ELSEWHERE = "elsewhere"
"""The value of the column Chat while the visitor is in another product's chat."""

_SHOW = "Show the invitation of the visitor on {path}"
CHAT_ACTIONS = {
    "": RowAction("Invite", "Invite the visitor on {path}"),
    ConversationState.QUEUED.value: RowAction(
        "Invited", f"Invited, waiting. {_SHOW}", note="waiting", is_quiet=False
    ),
    ConversationState.DELIVERED.value: RowAction(
        "Invited", f"Invited, delivered. {_SHOW}", note="delivered", is_quiet=False
    ),
    ConversationState.SHOWN.value: RowAction(
        "Invited", f"Invited, shown. {_SHOW}", note="shown", is_quiet=False
    ),
    ConversationState.OPEN.value: RowAction(
        "Open chat", "Open chat with the visitor on {path}", is_quiet=False
    ),
    ELSEWHERE: RowAction("", "In a chat of another product"),
}
"""What an agent can do in each state of a visit's conversation; the state is "" without one."""

VISITOR_COLUMNS = (
    Column(
        "status",
        "Status",
        Kind.STATUS,
        help="Chatting: in a chat now. Browsing: here, not chatting. A hollow dot: away, "
        "the page is not in view.",
        colours=STATUS_COLOURS,
        pulse=Status.CHATTING.value,
    ),
    Column("path", "Current Page", Kind.LINK, help="The page shown last", tooltip="title"),
    Column(
        "page_context",
        "Context",
        Kind.BADGE,
        help="What the page is for; sorts by how near it is to buying",
        colours=CONTEXT_COLOURS,
    ),
    Column("source", "From", help="Where the visit came from"),
    Column("browser", "Browser"),
    Column("country", "Country", Kind.COUNTRY, tooltip="country_name"),
    Column("page_count", "Pages", Kind.NUMBER, help="Page views in this visit"),
    Column(
        "time_on_site",
        "Time on Site",
        Kind.LENGTH,
        help="Since the first page; stands still while the visitor is away",
        ticks="in_view",
    ),
    Column(
        "idle_seconds",
        "Activity",
        Kind.ACTIVITY,
        help="Since the last page view or interaction; dim from 10 minutes",
    ),
    Column(
        "conversation",
        "Chat",
        Kind.ACTION,
        help="Invite the visitor to a chat, see what became of it, or open the chat",
        actions=CHAT_ACTIONS,
    ),
)

ALSO_SENT = ["id", "in_view", "flag", "title", "country_name"]
"""What the cells use in addition to their own column."""


def share_columns(label: str) -> tuple[Column, ...]:
    """The columns of a breakdown."""
    return (
        Column("label", label, Kind.CHOICE, sorts=False),
        Column("percent", "", Kind.SHARE, sorts=False),
        Column("visits", "Visitors", Kind.NUMBER, sorts=False),
    )
