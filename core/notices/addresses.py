"""A site's addresses for notices: list, add, change, delete. What is listed never has the address itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict, Unpack

from sqlalchemy import Connection, case, delete, func, insert, select, update
from sqlmodel import col

from core.chat.templates import hold_site
from core.notices.address_url import check_url, masked
from core.notices.kinds import NoticeError, check_kinds, check_minutes
from core.random_id import random_id
from core.tables import NoticeAddress, NoticeDelivery

MOST_ADDRESSES = 10
"""Of a site (own)."""


class AddressChanges(TypedDict, total=False):
    """What can be changed of an address; another place is another address."""

    kinds: Iterable[str]
    minutes: int
    with_words: bool
    is_enabled: bool


class AddressState(NamedTuple):
    """An address as a page may show it. place: what may be shown of where it is. waiting, given_up: notices."""

    id: str
    place: str
    kinds: Sequence[str]
    minutes: int
    with_words: bool
    is_enabled: bool
    created_at: datetime
    told_at: datetime | None
    fault: str
    fault_at: datetime | None
    waiting: int
    given_up: int


def address_states(db: Connection, site_id: int) -> list[AddressState]:
    """The site's addresses, in the order in which they were added."""
    counts = _count_deliveries(db, site_id)
    return [
        AddressState(
            address.id,
            masked(address.url),
            address.kinds,
            address.minutes,
            address.with_words,
            address.is_enabled,
            address.created_at,
            address.told_at,
            address.fault,
            address.fault_at,
            *counts.get(address.id, (0, 0)),
        )
        for address in _addresses(db, col(NoticeAddress.site_id) == site_id)
    ]


def find_address(db: Connection, site_id: int, address_id: str) -> NoticeAddress | None:
    """The address with all that is stored of it, for whoever sends; or None."""
    return next(iter(_addresses(db, *_is(site_id, address_id))), None)


def add_address(
    db: Connection,
    site_id: int,
    url: str,
    now: datetime,
    *,
    kinds: Iterable[str],
    minutes: int,
    with_words: bool = False,
) -> str:
    """The id of the new address, which is on. Raises NoticeError, and ChatSettingsError of a deleted site."""
    url = check_url(url)
    hold_site(db, site_id)
    known = _addresses(db, col(NoticeAddress.site_id) == site_id)
    if any(address.url == url for address in known):
        raise NoticeError("This address is there already: change what goes there.")
    if len(known) >= MOST_ADDRESSES:
        raise NoticeError(f"{MOST_ADDRESSES} addresses are the most: delete one first.")
    address = NoticeAddress(
        site_id=site_id,
        id=random_id(),
        url=url,
        kinds=_some_kinds(kinds),
        minutes=check_minutes(minutes),
        with_words=with_words,
        created_at=now,
    )
    db.execute(insert(NoticeAddress).values(**address.model_dump()))
    return address.id


def change_address(
    db: Connection, site_id: int, address_id: str, **changes: Unpack[AddressChanges]
) -> None:
    """Change it; what is on its way to an address that is switched off goes nowhere. Raises as `add_address`."""
    hold_site(db, site_id)
    values: dict[str, Any] = dict(changes)
    if "kinds" in changes:
        values["kinds"] = _some_kinds(changes["kinds"])
    if "minutes" in changes:
        check_minutes(changes["minutes"])
    if not changes.get("is_enabled", True):
        _drop_deliveries(db, site_id, address_id)
        values |= {"fault": "", "fault_at": None}
    db.execute(update(NoticeAddress).where(*_is(site_id, address_id)).values(**values))


def delete_address(db: Connection, site_id: int, address_id: str) -> None:
    """Delete it with what is on its way there; one that is not there is gone already."""
    hold_site(db, site_id)
    _drop_deliveries(db, site_id, address_id)
    db.execute(delete(NoticeAddress).where(*_is(site_id, address_id)))


def note_attempt(db: Connection, site_id: int, address_id: str, fault: str, now: datetime) -> None:
    """Note at the address that it worked (fault ""), or what went wrong."""
    values = {"fault": fault, "fault_at": now} if fault else {"fault": "", "told_at": now}
    db.execute(update(NoticeAddress).where(*_is(site_id, address_id)).values(**values))


def _addresses(db: Connection, *conditions: Any) -> list[NoticeAddress]:
    statement = select(NoticeAddress).where(*conditions)
    ordered = statement.order_by(col(NoticeAddress.created_at), col(NoticeAddress.id))
    return [NoticeAddress.of(row) for row in db.execute(ordered).mappings()]


def _count_deliveries(db: Connection, site_id: int) -> dict[str, tuple[int, int]]:
    given_up = func.sum(case((col(NoticeDelivery.is_given_up), 1), else_=0))
    address = col(NoticeDelivery.address_id)
    counted = select(address, func.count(), given_up).where(col(NoticeDelivery.site_id) == site_id)
    rows = db.execute(counted.group_by(address))
    return {id: (total - int(lost), int(lost)) for id, total, lost in rows}


def _drop_deliveries(db: Connection, site_id: int, address_id: str) -> None:
    of_address = col(NoticeDelivery.address_id) == address_id
    db.execute(delete(NoticeDelivery).where(col(NoticeDelivery.site_id) == site_id, of_address))


def _some_kinds(kinds: Iterable[str]) -> list[str]:
    checked = check_kinds(kinds)
    if not checked:
        raise NoticeError("Nothing goes there: choose what to tell.")
    return checked


def _is(site_id: int, address_id: str) -> tuple[Any, Any]:
    return col(NoticeAddress.site_id) == site_id, col(NoticeAddress.id) == address_id
