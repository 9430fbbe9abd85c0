"""What a site sets for the dialog on its pages."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from core.tables.base import JsonText, Table


class ChatLook(Table, table=True):
    """How a site's dialog looks and what it says; a site without a row has what is usual.

    words: the owner's own texts, by language and by the name of the text. email: whether who leaves a message
    is asked for an address: "", "offered" or "required". hours: seven pairs of minutes of the site's local day,
    Monday first, in which the button begins chats; [] for always, a day without hours is null.
    """

    site_id: int = Field(primary_key=True)
    title: str = ""
    greeting: str = ""
    colour: str = ""
    corner: str = "right"
    words: Any = Field(default_factory=dict, sa_type=JsonText)
    email: str = "offered"
    hours: Any = Field(default_factory=list, sa_type=JsonText)
    asks_rating: bool = True
