"""Templates: texts that a site's agents use again, the last used first."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, delete, func, insert, select, type_coerce, update
from sqlmodel import col

from core.chat.limits import LONGEST_MESSAGE
from core.chat.states import TemplateKind
from core.enrich.text import clean_lines
from core.locks import lock_site
from core.random_id import is_id, random_id
from core.sites import has_site
from core.tables import ChatTemplate

MAX_TEMPLATES = 100


class ChatSettingsError(ValueError):
    """A template or a rule that cannot be used; the text names the value and the cure."""


def list_templates(db: Connection, site_id: int, kind: TemplateKind) -> list[ChatTemplate]:
    """The site's templates of one kind, the last used first, then the newest."""
    return _templates(
        db, col(ChatTemplate.site_id) == site_id, col(ChatTemplate.kind) == kind.value
    )


def all_templates(db: Connection, kind: TemplateKind) -> dict[int, list[ChatTemplate]]:
    """The templates of one kind by the site's id, in the order of `list_templates`."""
    found: defaultdict[int, list[ChatTemplate]] = defaultdict(list)
    for template in _templates(db, col(ChatTemplate.kind) == kind.value):
        found[template.site_id].append(template)
    return found


def add_template(
    db: Connection, site_id: int, kind: TemplateKind, text: str, now: datetime
) -> ChatTemplate:
    """The new template; a text that is there already is not stored twice. Raises ChatSettingsError."""
    text = check_text(text)
    hold_site(db, site_id)
    known = list_templates(db, site_id, kind)
    if (same := next((each for each in known if each.text == text), None)) is not None:
        return same
    if len(known) >= MAX_TEMPLATES:
        raise ChatSettingsError(f"{len(known)} texts are too many: delete one first.")
    template = ChatTemplate(
        site_id=site_id, id=random_id(), kind=kind.value, text=text, created_at=now
    )
    db.execute(insert(ChatTemplate).values(**template.model_dump()))
    return template


def change_template(db: Connection, site_id: int, template_id: str, text: str) -> None:
    """Give the template another text. Raises ChatSettingsError."""
    text = check_text(text)
    hold_site(db, site_id)
    db.execute(update(ChatTemplate).where(*_is(site_id, template_id)).values(text=text))


def delete_template(db: Connection, site_id: int, template_id: str) -> None:
    """Delete the template; one that is not there is gone already. Raises ChatSettingsError."""
    hold_site(db, site_id)
    db.execute(delete(ChatTemplate).where(*_is(site_id, template_id)))


def mark_used(db: Connection, site_id: int, template_id: str, now: datetime) -> None:
    """Record that the template was used at this moment; of what is no template's id nothing."""
    if not is_id(template_id):
        return
    db.execute(update(ChatTemplate).where(*_is(site_id, template_id)).values(used_at=now))


def hold_site(db: Connection, site_id: int) -> None:
    """Keep the site from being deleted until the transaction ends. Raises ChatSettingsError if it was.

    What is stored for a deleted site stays for good, and SQLite may give its id to the next site.
    """
    lock_site(db, site_id)
    if not has_site(db, site_id):
        raise ChatSettingsError("This site was deleted.")


def check_length(text: str) -> None:
    """Raise ChatSettingsError when the text is too long to be sent: nothing is cut unseen."""
    excess = len(text.strip()) - LONGEST_MESSAGE
    if excess > 0:
        raise ChatSettingsError(
            f"The text has {excess:,} characters too many: {LONGEST_MESSAGE:,} can be sent. Shorten it."
        )


def check_text(text: str) -> str:
    """The text, cleaned. Raises ChatSettingsError when it is empty or too long."""
    check_length(text)
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        raise ChatSettingsError("There is no text: write one, for example 'Can I help you?'")
    return text


def _templates(db: Connection, *conditions: Any) -> list[ChatTemplate]:
    last = func.coalesce(type_coerce(col(ChatTemplate.used_at), BigInteger), 0)
    statement = (
        select(ChatTemplate)
        .where(*conditions)
        .order_by(last.desc(), col(ChatTemplate.created_at).desc(), col(ChatTemplate.id))
    )
    return [ChatTemplate.of(row) for row in db.execute(statement).mappings()]


def _is(site_id: int, template_id: str) -> tuple[Any, Any]:
    return col(ChatTemplate.site_id) == site_id, col(ChatTemplate.id) == template_id
