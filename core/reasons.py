"""Why something was not done: one table of every reason, read by the collector and the dashboard."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from msgspec import Struct


class Reason(StrEnum):
    """A reason's word, its HTTP status, and its text for each reader.

    The word stands in X-Drop-Reason, `drop_count` and /metrics. public_text: the error in the
    response, for the website's developer; "" where the response has no body. owner_text: the Sites
    page, with the cure; "" where only an agent meets the reason: then nothing is counted.
    agent_text: what the dashboard tells an agent whose action was refused; "" where none can be.
    """

    status: int
    public_text: str
    owner_text: str
    agent_text: str

    def __new__(
        cls, word: str, status: int, public_text: str, owner_text: str, agent_text: str = ""
    ) -> Self:
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.status = status
        reason.public_text = public_text
        reason.owner_text = owner_text
        reason.agent_text = agent_text
        return reason

    BOT = (
        "bot",
        204,
        "",
        "Robots: search engines, monitors and automated browsers are not visitors.",
    )
    PREFETCH = (
        "prefetch",
        204,
        "",
        "Pages that a browser loaded ahead and that nobody has seen.",
    )
    OWN_VISIT = (
        "own_visit",
        204,
        "",
        "Visits of your own people: the site lists their network under Own visits.",
    )
    NOTHING_TO_DO = "nothing_to_do", 204, "", "Reports that said nothing new."
    UNKNOWN_KIND = (
        "unknown_kind",
        204,
        "",
        "Events of a kind that this version does not know: update the collector.",
    )
    VISIT_OVER = (
        "visit_over",
        204,
        "",
        "Pages left open after their visit had ended: no cause for concern.",
    )
    NO_VISIT = (
        "no_visit",
        204,
        "",
        "Reports of a visit that is not known, often after its data were deleted: "
        "its next page view begins a new one.",
        "The visitor has left: the visit is over.",
    )
    MALFORMED = (
        "malformed",
        400,
        "",
        "Reports that do not follow the format: an old script in a cache, or not our script.",
    )
    TOO_LARGE = (
        "too_large",
        413,
        "a beacon has at most 16384 bytes",
        "Reports larger than 16 KiB: not our script.",
    )
    ENCODED = (
        "encoded",
        415,
        "send the body without Content-Encoding",
        "Compressed reports: not our script.",
    )
    UNKNOWN_SITE = (
        "unknown_site",
        403,
        "there is no site with this key",
        "Reports of a tag that names no site, or one that was deleted: compare the tag in the page with the "
        "tag of the site.",
    )
    TRACKING_OFF = (
        "tracking_off",
        403,
        "tracking is switched off for this site",
        "Reports that arrived while tracking was off.",
    )
    ORIGIN = (
        "origin_not_allowed",
        403,
        "the site does not list this origin among its domains",
        "Pages of an address that the site does not name: add it under Website addresses, if it is yours.",
    )
    RATE_LIMIT = (
        "rate_limit",
        429,
        "too many requests from this address",
        "One address sent more reports, or more chat calls, than MONITOR_RATE_LIMIT allows. If all "
        "visitors share one, set MONITOR_TRUSTED_PROXIES.",
    )
    TOO_MANY_VISITS = (
        "too_many_visits",
        429,
        "too many new visits from this address",
        "One address opened more visits than MONITOR_NEW_VISITS allows: the script sends these reports again, "
        "and the visits appear later. If all visitors share one address, set MONITOR_TRUSTED_PROXIES.",
    )
    QUEUE_FULL = (
        "queue_full",
        503,
        "too many beacons are waiting",
        "The collector was busy; the script sends these reports again.",
    )
    NOT_COMMITTED = (
        "not_committed",
        503,
        "the database did not take the beacon in time",
        "The database was slow; the script sends these reports again.",
    )
    NOT_LOADED = (
        "not_loaded",
        503,
        "the collector could not load what it needs for it",
        "The collector lacks memory, or a file of its installation: see its log. The script sends these reports again.",
    )
    TOO_MANY_STREAMS = (
        "too_many_streams",
        429,
        "too many open streams from this address",
        "One address wanted to hold more chat streams than MONITOR_STREAMS_PER_ADDRESS allows: such "
        "visitors chat on, with answers that come seconds later. If all visitors share one address, "
        "set MONITOR_TRUSTED_PROXIES.",
    )
    STREAMS_FULL = (
        "streams_full",
        503,
        "too many open streams",
        "More chat streams than MONITOR_STREAMS allows: further visitors chat on, with answers that "
        "come seconds later.",
    )
    FAULT = (
        "fault",
        400,
        "the beacon could not be stored",
        "A fault in the collector: see its log.",
    )
    NO_CONVERSATION = (
        "no_conversation",
        404,
        "there is no conversation with this token",
        "Calls of a chat whose conversation was deleted: no cause for concern.",
        "There is no such conversation; its text may have been deleted.",
    )
    OVER = (
        "over",
        410,
        "the conversation has ended",
        "Messages to a chat that had just ended: no cause for concern.",
        "The conversation has ended.",
    )
    CHATTING = (
        "chatting",
        409,
        "the visit is in a chat already",
        "Chats that were to be opened while the visit was in one already.",
        "The visitor is in a chat already.",
    )
    INVITED = (
        "invited",
        409,
        "the visit has an invitation already",
        "Chats that were to be opened while an invitation waited in another tab.",
        "The visitor has an invitation already, which is not answered yet.",
    )
    EMPTY = (
        "empty",
        400,
        "the message has no text",
        "Messages without text: not our script.",
        "There is no text: write one.",
    )
    TOO_MANY = (
        "too_many",
        409,
        "the conversation has too many messages",
        "Messages beyond what one conversation takes, or conversations beyond what one visit may "
        "open: perhaps a machine.",
        "The conversation has 2,000 messages: end it, and begin another.",
    )
    NOT_NOW = (
        "not_now",
        204,
        "",
        "Exit invitations that a rule did not give: nobody was there, the day's cap was reached, "
        "it was quiet hours, or the visit had been invited before.",
        "The rule does not invite now.",
    )
    NOT_OFFERED = (
        "not_offered",
        409,
        "the site has no chat button, or none for this visitor",
        "Chats that were to be opened on a site without a chat button, or by a visitor whom an agent "
        "has blocked: it was just switched off, they were just blocked, or it is not our script.",
        "The site has no chat button: its visitors are invited.",
    )
    TAKEN = (
        "taken",
        409,
        "",
        "",
        "A colleague is in this conversation: take it over first.",
    )
    TOO_MANY_NOTES = (
        "too_many_notes",
        409,
        "",
        "",
        "The conversation has 200 notes, which is the most.",
    )
    TOO_MANY_BLOCKS = (
        "too_many_blocks",
        409,
        "",
        "",
        "The site has 500 blocked visitors, which is the most: lift some on the Sites page.",
    )
    AGENT_AWAY = (
        "agent_away",
        409,
        "",
        "",
        "This colleague has gone by now: choose another one.",
    )
    NOT_LEFT = (
        "not_left",
        409,
        "",
        "",
        "This is not a message that was left: it is answered here.",
    )
    NO_MAIL_SERVER = (
        "no_mail_server",
        409,
        "",
        "",
        "The site has no mail server: an admin sets one on the Sites page, under Answers by e-mail.",
    )
    NO_ADDRESS = (
        "no_address",
        409,
        "",
        "",
        "No e-mail address of the visitor is known.",
    )


class Refused(Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Nothing was done, and why. retry_after: seconds until it may be tried again; 0 where that is not known."""

    reason: Reason
    retry_after: int = 0
