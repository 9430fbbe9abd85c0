"""A visit with its chats, as it was last read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.accounts.identity import Role
from core.database import Connection
from core.frames import Journey, visitor_at
from core.moment import utc_now
from core.site_changes import site_revision
from core.tables import Site
from pages.invite.invitation_state import InvitationState, read_invitation_state
from pages.parts.last_read import read_or_last
from pages.parts.transcript import Transcript
from pages.parts.viewer import may
from pages.visitor.past_chats import read_past_chats


@dataclass(frozen=True)
class VisitDetails:
    """A visit at one moment, with its chats; all from one snapshot, with every change up to `revision`.

    invitation_state: None, and no past chats, for who may read no chats.
    """

    revision: int
    journey: Journey
    invitation_state: InvitationState | None
    past_chats: list[Transcript]


@dataclass(frozen=True)
class VisitSnapshot:
    """The visit as it was last read, if it was; `fault` says why it is out of date."""

    seen: VisitDetails | None
    fault: str = ""


def latest_visit(site: Site, visit_id: str, moment: datetime | None = None) -> VisitSnapshot:
    """The visit now, or as this session has read it last, with the fault.

    moment: a past one at which it is shown. Its past chats are then those that were over.
    """
    reads_chats = may(Role.AGENT)
    load = _load_with_chats if reads_chats else _load
    role = Role.AGENT if reads_chats else Role.VIEWER
    key = (site.key, visit_id, role, moment)
    question = partial(load, site=site, visit_id=visit_id, moment=moment)
    return VisitSnapshot(*read_or_last("visit", key, role, question, site))


def _load(
    db: Connection, site: Site, visit_id: str, moment: datetime | None
) -> VisitDetails | None:
    now = utc_now()
    journey = visitor_at(db, site, visit_id, moment or now, now)
    return journey and VisitDetails(site_revision(db, site.id), journey, None, [])


def _load_with_chats(
    db: Connection, site: Site, visit_id: str, moment: datetime | None
) -> VisitDetails | None:
    now = utc_now()
    journey = visitor_at(db, site, visit_id, moment or now, now)
    invitation_state = read_invitation_state(db, site, visit_id, now)
    if journey is None or invitation_state is None:
        return None
    past_chats = read_past_chats(db, invitation_state.conversations, journey.as_of)
    return VisitDetails(site_revision(db, site.id), journey, invitation_state, past_chats)
