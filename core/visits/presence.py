"""The lengths of time and the fixed words of a visit; the rules are in `core.visits.liveness`."""

from datetime import timedelta
from enum import StrEnum

VISIT_ENDS_AFTER = timedelta(minutes=30)
"""After the last activity; at exactly 30:00 the visit is over (reference product)."""

IN_VIEW_FOR = timedelta(seconds=90)
"""A tab is in view for this long after its newest event, unless that event is `h` (own rule)."""

LONGEST_PRESENCE = timedelta(seconds=60)
"""Between two presence beacons of a page in view: shorter than IN_VIEW_FOR, though one is late (own)."""

CHATTING_FOR = timedelta(minutes=20)
"""A third-party chat without an end is over this long after its last report (reference)."""

IDLE_AFTER = timedelta(minutes=10)
"""From here on a row is dim and its label says Idle (reference)."""

ACTIVE_FOR = timedelta(minutes=1)
"""Under this the activity label is Active; longer gaps split an active span (reference)."""

CLOCK_SLACK = timedelta(minutes=5)
"""A moment further in the future than this was written by a clock that has since jumped back."""

COUNT_SLOT = timedelta(minutes=15)
"""The width of a roll-up slot: every time zone's offset is a multiple of it."""


class Status(StrEnum):
    """The state of a live visit, as the Status column shows it."""

    CHATTING = "Chatting"
    BROWSING = "Browsing"


class SpanKind(StrEnum):
    """What a visit_span row records; hashed as text, which takes a tenth of Enum's own hash."""

    __hash__ = str.__hash__

    IN_VIEW = "in_view"
    ACTIVE = "active"
    CHATTING = "chatting"


class ChangeKind(StrEnum):
    """What a visit_change row records."""

    PAGE = "page"
    ATTRIBUTES = "attributes"
    CART = "cart"
    COUNTRY = "country"
    SHOWN = "shown"


class ChatSource(StrEnum):
    """Whose chat a visit is in; empty: none."""

    NONE = ""
    BUILT_IN = "built_in"
    THIRD_PARTY = "third_party"
