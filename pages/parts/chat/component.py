"""The chat in the agent's browser: declared here, drawn by pages/parts/chat/client/.

All parts of a page share one stream of changes, so a message appears at once, without a run of the
page. Python sends the agent, the chosen conversation, the replies of the sites, and the limits that
the server applies too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.accounts.identity import Identity
from core.tables import Agent, AgentNotices, ChatTemplate, Site
from pages.parts.agent import own_secret
from pages.parts.chat.client_limits import CLIENT_LIMITS
from pages.parts.script import component
from pages.parts.viewer import viewer_of_run
from pages.server.access import COOKIE

_FOLDER = Path(__file__).with_name("client")

ALERTS_KEY = "chat_alerts"
CHATS_KEY = "chats"

Replies = Mapping[str, Sequence[ChatTemplate]]
"""Each site's canned replies, by the site's key."""


def draw_alerts(agent: Agent | None, notices: AgentNotices | None) -> Any:
    """What every page needs of the chats; nothing of them without an agent. In the result, `opened` is set when the agent wants to see
    them (an id, the site's key and the conversation's id, with blanks between), and `known` is the key of an agent whose name was given in another tab."""
    return _chat(
        key=ALERTS_KEY,
        data=_data("alerts", agent, notices=_wanted(notices)),
        on_opened_change=_nothing,
        on_known_change=_nothing,
    )


def draw_chats(
    agent: Agent,
    replies: Replies,
    *,
    chosen: str,
    is_one_site: bool,
    on_chosen_change: Callable[[], None],
) -> None:
    """Draw the open conversations and the chosen one: "SITE ID", as `chosen_in_chats` returns it."""
    _chat(
        key=CHATS_KEY,
        data=_data(
            "chats",
            agent,
            chosen=chosen,
            turn=_choice().turn,
            replies=_texts(replies),
            is_one_site=is_one_site,
        ),
        on_chosen_change=on_chosen_change,
    )


def chosen_in_chats() -> str:
    """The conversation that the agent chose last in the list, as "SITE ID"; "" before that."""
    return _choice().key


def draw_conversation(
    agent: Agent,
    site: Site,
    conversation_id: str,
    replies: Sequence[ChatTemplate] = (),
    *,
    key: str = "conversation",
) -> None:
    """Draw one conversation alone, live, with the field for answers."""
    _chat(
        key=key,
        data=_data(
            "conversation",
            agent,
            chosen=f"{site.key} {conversation_id}",
            replies=_texts({site.key: replies}),
        ),
    )


@dataclass(frozen=True)
class _Choice:
    """The choice in the list; `turn` counts the choices."""

    key: str = ""
    turn: int = 0


def _choice() -> _Choice:
    chosen = st.session_state.get(CHATS_KEY, {}).get("chosen")
    key, turn = (chosen.get("key"), chosen.get("turn")) if isinstance(chosen, Mapping) else ("", 0)
    return _Choice(key, turn) if isinstance(key, str) and isinstance(turn, int) else _Choice()


def _data(part: str, agent: Agent | None, **more: Any) -> dict[str, Any]:
    """The data that every part gets, since any may be the first on a page; typed in chat_types.d.ts."""
    identity = viewer_of_run()
    return {
        "part": part,
        "agent": _who(agent),
        "cookie": "" if identity.is_signed_in else COOKIE,
        "account": identity.agent_id,
        "rights": _rights(identity),
        "limits": CLIENT_LIMITS,
        **more,
    }


def _who(agent: Agent | None) -> dict[str, Any] | None:
    """The agent with the secret. It is sent only to the agent's own browser, which makes the cookie of it;
    an account has a session instead."""
    if agent is None:
        return None
    return {"id": agent.id, "name": agent.name, "key": own_secret(agent)}


def _wanted(notices: AgentNotices | None) -> dict[str, Any] | None:
    """What the agent hears of; None while it is not known."""
    return notices and notices.model_dump(exclude={"agent_id"})


def _rights(identity: Identity) -> str:
    """What the account may see and do, "" where nobody has to sign in."""
    if not identity.is_signed_in:
        return ""
    sites = "all" if identity.site_ids is None else sorted(identity.site_ids)
    return f"{identity.role.word} {sites}"


def _texts(replies: Replies) -> dict[str, list[dict[str, str]]]:
    return {
        site: [{"id": reply.id, "text": reply.text} for reply in kept]
        for site, kept in replies.items()
    }


def _nothing() -> None:
    return None


_chat = component("visitor_monitor_chat", _FOLDER / "component.js", _FOLDER / "agent.css")
