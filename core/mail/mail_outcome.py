"""What came of an attempt to send a mail."""

from __future__ import annotations

from typing import NamedTuple


class MailOutcome(NamedTuple):
    """fault: "" once the server has taken the mail, else what went wrong. is_final: trying again changes nothing.
    is_of_mail: it is of this mail, not of the server."""

    fault: str = ""
    is_final: bool = False
    is_of_mail: bool = False


SENT = MailOutcome()
