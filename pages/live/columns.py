"""The columns of the visitor table and of the breakdowns: names, labels, kinds and colours, once.

docs/charts.md shows how to add one.
"""

from __future__ import annotations

from core.chat.states import ConversationState
from core.visits.presence import Status
from pages.parts.colours import CONTEXT_COLOURS, STATUS_COLOURS
from pages.parts.table.component import Column, Kind, RowAction

ELSEWHERE = "elsewhere"
"""The value of the column Chat while the visitor is in another product's chat."""

CHAT = "conversation"
"""The name of the column with what can be done about a visitor: for agents."""

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

CHAT_THEN = {
    "": "",
    ConversationState.QUEUED.value: "Invited",
    ConversationState.DELIVERED.value: "Invited",
    ConversationState.SHOWN.value: "Invited",
    ConversationState.OPEN.value: "Open",
    ELSEWHERE: "Elsewhere",
}
"""What each state of a visit's conversation was, in a word."""

VISITOR_COLUMNS = (
    Column(
        "status",
        "Status",
        Kind.STATUS,
        help="Chatting: in a chat now. Browsing: here, not chatting. A hollow dot: away, "
        "the page is not in view.",
        colours=STATUS_COLOURS,
        pulse=Status.CHATTING.value,
        width=6,
    ),
    Column(
        "visitor_name",
        "Visitor",
        help="The name or e-mail, and the number of the visit, where the website tells them",
        tooltip="visitor_name returning",
        note="returning",
        width=8,
        is_optional=True,
    ),
    Column(
        "path",
        "Current Page",
        Kind.LINK,
        help="The page shown last",
        tooltip="path title",
        can_hide=False,
    ),
    Column(
        "page_context",
        "Context",
        Kind.BADGE,
        help="What the page is for, and what the cart is worth; sorts by how near it is to buying",
        note="cart_note",
        width=9.6,
        colours=CONTEXT_COLOURS,
    ),
    Column(
        "source",
        "From",
        help="Where the visit came from",
        tooltip="source source_kind",
        note="source_kind",
        width=8.6,
    ),
    Column("browser", "Browser", tooltip="browser", width=6),
    Column("country", "Country", Kind.COUNTRY, tooltip="country_name", width=4.8),
    Column("page_count", "Pages", Kind.NUMBER, help="Page views in this visit", width=4.1),
    Column(
        "time_on_site",
        "Time on Site",
        Kind.LENGTH,
        help="Since the first page; stands still while the visitor is away",
        ticks="in_view",
        width=6.2,
    ),
    Column(
        "idle_seconds",
        "Activity",
        Kind.ACTIVITY,
        help="Since the last page view or interaction; dim from 10 minutes",
        width=5.4,
    ),
    Column(
        CHAT,
        "Chat",
        Kind.ACTION,
        help="Invite the visitor to a chat, see what became of it, or open the chat",
        actions=CHAT_ACTIONS,
        width=6.8,
        can_hide=False,
    ),
)

PAST_CHAT = Column(
    "chat_then",
    "Chat",
    help="How far the chat with the visitor had come",
    width=5.5,
    is_optional=True,
)
"""Of a past moment in the place of Chat: what was, and nothing to do."""

SITE_COLUMN = Column(
    "site_name", "Site", help="The website that the visitor is on", tooltip="site_name", width=7.5
)
"""Shown where the table has the visitors of all sites."""

ALSO_SENT = [
    *("id", "href", "in_view", "flag", "title", "country_name"),
    *("returning", "cart_note", "source_kind"),
]
"""What the cells use in addition to their own column."""
