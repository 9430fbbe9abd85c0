"""What the sign-in page may say went wrong. An address can choose one of these texts, and give none."""

from __future__ import annotations

from enum import StrEnum

from core.accounts.provisioning import Denial


class SignInFault(StrEnum):
    """Why somebody is not signed in; `text` says it, with the cure, and never whether there is an account."""

    EMPTY = "empty"
    WRONG = "wrong"
    TOO_OFTEN = "too-often"
    BUSY = "busy"
    DATABASE_AWAY = "database-away"
    NOT_SIGNED_OUT = "not-signed-out"
    ISSUER_AWAY = "issuer-away"
    MISCONFIGURED = "misconfigured"
    CANCELLED = "cancelled"
    STALE = "stale"
    CLOCK = "clock"
    FORGED = "forged"

    @property
    def text(self) -> str:
        """The words on the page."""
        return _TEXTS[self]

    @classmethod
    def text_of(cls, word: str) -> str:
        """The text of the fault with this word, or of the denial; "" when there is none."""
        known: list[SignInFault | Denial] = [*cls, *Denial]
        return next((fault.text for fault in known if fault == word), "")


_TEXTS = {
    SignInFault.EMPTY: "Write your e-mail address and your password.",
    SignInFault.WRONG: "The e-mail address or the password is wrong. If you have forgotten the password, "
    "an admin can give you a link to choose a new one.",
    SignInFault.TOO_OFTEN: "Too many attempts have failed from here.",
    SignInFault.BUSY: "Very many try to sign in at this moment. Try again in a few seconds.",
    SignInFault.DATABASE_AWAY: "The dashboard cannot reach its database, so nobody can sign in at this moment. "
    "Try again in a minute; if it stays so, tell whoever runs the dashboard.",
    SignInFault.NOT_SIGNED_OUT: "The dashboard cannot reach its database, so you are still signed in. "
    "Go back and sign out again in a minute.",
    SignInFault.ISSUER_AWAY: "Your sign-in service does not answer. Try again in a minute; if it stays so, tell "
    "whoever looks after it.",
    SignInFault.MISCONFIGURED: "Your sign-in service and the dashboard do not fit together. Tell whoever runs the "
    "dashboard: its log says what is wrong.",
    SignInFault.CANCELLED: "You have not signed in at your sign-in service, or it did not let you.",
    SignInFault.STALE: "This sign-in was begun too long ago, in another browser, or is done already. Sign in again.",
    SignInFault.CLOCK: "The clocks of your sign-in service and of the dashboard are minutes apart. Tell whoever runs "
    "the dashboard.",
    SignInFault.FORGED: "What your sign-in service said of you could not be verified. Sign in again; if it stays so, "
    "tell whoever runs the dashboard.",
}
