"""What a notice says: outside of the dashboard, and in an agent's browser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import col

from core.chat.states import Author
from core.chat.store import find_conversation
from core.notices.events import WAITS_AFTER
from core.notices.kinds import KIND_NAMES, STAYS, NoticeKind
from core.tables import Message, Notice, Site, Visit
from core.visits.labels import UNKNOWN_VISITOR, returning_label, visitor_label, visitor_name

MOST_WORDS = 500
"""Characters of a visitor's words that go along."""

_MOST_MESSAGES = 5
_PING = re.compile(r"@(?=everyone|channel|here|all)", re.IGNORECASE)
_NOT_A_PING = "@\u200b"
"""A name such as @everyone calls nobody."""


class NoticeText(NamedTuple):
    """title: one line. body: some lines. path: of the dashboard, where it leads to."""

    title: str
    body: str
    path: str


def notice_text(db: Connection, site: Site, notice: Notice, *, with_words: bool) -> NoticeText:
    """What the notice says now; with_words: with what the visitor has written."""
    visit = _find_visit(db, notice)
    lines = [_who(visit), _page(visit), _when(site, notice)]
    if with_words:
        lines += _words(db, notice)
    path = path_of(site, notice)
    body = "\n".join(filter(None, lines))
    return NoticeText(_calm(_title(site, notice)), _calm(body), path)


def summary_text(site: Site, notices: Sequence[Notice]) -> NoticeText:
    """One text for so many notices; without a visitor's words."""
    kinds = Counter(KIND_NAMES[NoticeKind(notice.kind)] for notice in notices)
    lines = [f"{name}: {number}" for name, number in kinds.most_common()]
    since = _clock(min(notice.happened_at for notice in notices), site)
    title = f"{site.name}: {len(notices)} more notices since {since}"
    return NoticeText(_calm(title), "\n".join(lines), f"/?{urlencode({'site': site.key})}")


def test_text(site: Site) -> NoticeText:
    """What the button *Test* sends."""
    title = f"{site.name}: test of an address for notices"
    body = "This address works. Notices of Visitor Monitor will come here."
    return NoticeText(_calm(title), body, f"/sites?{urlencode({'site': site.key})}")


def visit_line(db: Connection, notice: Notice) -> str:
    """Who it is about and on which page, on one line."""
    visit = _find_visit(db, notice)
    return " · ".join(filter(None, (_who(visit), _page(visit))))


def path_of(site: Site, notice: Notice) -> str:
    """Where in the dashboard the notice leads to."""
    if notice.conversation_id:
        return f"/chats?{urlencode({'site': site.key, 'conversation': notice.conversation_id})}"
    return f"/visitor?{urlencode({'site': site.key, 'visit': notice.visit_id})}"


def with_link(text: NoticeText, dashboard_url: str) -> str:
    """The body with the address in the dashboard, where that is known."""
    return f"{text.body}\n{dashboard_url.rstrip('/')}{text.path}" if dashboard_url else text.body


def plain_title(notice: Notice) -> str:
    """What has happened: "A visitor is in Cart for 5 minutes"."""
    kind = NoticeKind(notice.kind)
    length = f"{notice.minutes} minute{'' if notice.minutes == 1 else 's'}"
    return f"{KIND_NAMES[kind]} for {length}" if kind in STAYS else KIND_NAMES[kind]


def _title(site: Site, notice: Notice) -> str:
    return f"{site.name}: {plain_title(notice)}"


def _find_visit(db: Connection, notice: Notice) -> Visit | None:
    of_visit = (col(Visit.site_id) == notice.site_id, col(Visit.id) == notice.visit_id)
    row = db.execute(select(Visit).where(*of_visit)).mappings().one_or_none()
    return None if row is None else Visit.of(row)


def _who(visit: Visit | None) -> str:
    if visit is None:
        return UNKNOWN_VISITOR
    label = visitor_label(visitor_name(visit.attributes), visit.browser, visit.country)
    return ", ".join(filter(None, (label, returning_label(visit.visit_number))))


def _page(visit: Visit | None) -> str:
    if visit is None:
        return ""
    title, path = visit.current_title, visit.current_path
    return f"{title} ({path})" if title else path


def _when(site: Site, notice: Notice) -> str:
    if notice.kind == NoticeKind.CHAT_WAITS:
        return f"Waits since {_clock(notice.happened_at - WAITS_AFTER, site)}"
    return f"At {_clock(notice.happened_at, site)}"


def _words(db: Connection, notice: Notice) -> list[str]:
    """What the visitor has written since an agent's last message, and the e-mail address that they left."""
    conversation = find_conversation(db, notice.site_id, notice.conversation_id)
    if conversation is None:
        return []
    newest = (
        select(col(Message.author), col(Message.text))
        .where(
            col(Message.site_id) == notice.site_id,
            col(Message.conversation_id) == notice.conversation_id,
        )
        .order_by(col(Message.number).desc())
        .limit(_MOST_MESSAGES)
    )
    said: list[str] = []
    for author, text in db.execute(newest):
        if author != Author.VISITOR:
            break
        said.insert(0, text)
    words = "\n".join(said)
    cut = f"{words[:MOST_WORDS]}…" if len(words) > MOST_WORDS else words
    email = f"E-mail: {conversation.email}" if conversation.email else ""
    return [each for each in (f"“{cut}”" if cut else "", email) if each]


def _clock(moment: datetime, site: Site) -> str:
    return f"{moment.astimezone(ZoneInfo(site.time_zone)):%H:%M} ({site.time_zone})"


def _calm(text: str) -> str:
    return _PING.sub(_NOT_A_PING, text)
