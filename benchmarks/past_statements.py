"""The statements that make the past of a database: past_rows.py runs them.

Each visit has a number, and what it is follows from that by whole-number arithmetic, so that both databases make
the same rows. Ids are spread over their index, as random ones are.
"""

# ruff: noqa: S608 (statements are made of the names and numbers here only)
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.enrich.page_context import PageContext
from core.moment import milliseconds
from core.visits.memories import REMEMBERED_FOR
from core.visits.presence import COUNT_SLOT, VISIT_ENDS_AFTER
from core.visits.row_keys import page_id

DAY = 86_400_000
HISTORY_DAYS = 90
CHAT_EVERY = 50
"""One visit of so many has a conversation."""

RARE_WORD = "quokka"
RARE_EVERY = 10_007
"""One message of some so many has the rare word; every eighth has the common one."""

COMMON_WORD = "delivery"

_PAGES = 500
_LONGEST = 600_000
_MOST_VIEWS, _MOST_MESSAGES = 3, 8
_BROWSERS = ("Chrome", "Safari", "Edge", "Firefox", "Samsung Internet", "Opera", "Brave", "Vivaldi")
_SYSTEMS = ("Windows", "iOS", "Android", "macOS", "Linux")
_COUNTRIES = ("US", "DE", "GB", "FR", "NL", "IN", "JP", "BR", "CA", "AU", "SE", "")
_SOURCES = ("Direct", "Google", "Bing", "Instagram", "ChatGPT", "Newsletter")
_SAID = (
    "Hello, I am looking for a cup that goes with the green one.",
    f"How long does the {COMMON_WORD} to Graz take?",
    "Thank you, that was what I wanted to know.",
    "Is it dishwasher-safe, and is there a larger one?",
    "Let me look that up for you, one moment please.",
    "The invoice has the wrong address, whom do I write to?",
    "We have it in stock again from Thursday on.",
    "That is fine. Good bye!",
)


class Past(NamedTuple):
    """sites: their ids; the first has seven visits of ten. ends_at: milliseconds, when the newest visit begins."""

    sites: Sequence[int]
    visits: int
    ends_at: int


class PastStatements:
    """The statements; `i` is a visit's number."""

    def __init__(self, past: Past, is_sqlite: bool) -> None:
        self._past = past
        self._is_sqlite = is_sqlite
        begins_at = past.ends_at - milliseconds(VISIT_ENDS_AFTER) - HISTORY_DAYS * DAY
        others = (f"WHEN {9 - place} THEN {id}" for place, id in enumerate(past.sites[1:4]))
        self._site = f"CASE i % 10 {' '.join(others)} ELSE {past.sites[0]} END"
        if not past.sites[1:]:
            self._site = str(past.sites[0])
        self._start = f"{begins_at} + {HISTORY_DAYS * DAY - _LONGEST} * (i - 1) / {past.visits}"
        self._id = self._id_of("i")

    def pages(self) -> Iterator[str]:
        """What the sites' pages say of themselves, in a table that ends with the connection."""
        pages = ((place, _page(place)) for place in range(_PAGES))
        rows = (f"({place}, {page_id(*page)}, '{page[0]}', '{page[1]}')" for place, page in pages)
        columns = "place INTEGER PRIMARY KEY, id BIGINT, path TEXT, title TEXT"
        yield f"CREATE TEMPORARY TABLE made_page ({columns})"
        yield f"INSERT INTO made_page VALUES {', '.join(rows)}"

    def rows(self, first: int, last: int) -> Iterator[str]:
        """Those of the visits with these numbers."""
        made = self._numbers(first, last)
        yield self._visits(made)
        yield self._views(made)
        yield self._spans(made)
        yield self._changes(made)
        yield self._conversations(made)
        yield self._messages(made)

    def counts(self) -> Iterator[str]:
        """What is counted of all of them: visits by slot, uses of each page, the newest number; by day, and in chunks, only that it was."""
        slot = milliseconds(COUNT_SLOT)
        over_until = self._past.ends_at - milliseconds(REMEMBERED_FOR)
        yield (
            "INSERT INTO visit_count (site_id, starts_at, visits)"
            f" SELECT site_id, started_at / {slot} * {slot}, count(*) FROM visit GROUP BY 1, 2"
        )
        yield (
            "INSERT INTO page (site_id, id, uses, path, title, page_context)"
            f" SELECT site_id, page, uses, path, title, '{PageContext.PRODUCT.value}'"
            " FROM (SELECT site_id, page, count(*) AS uses FROM page_view_row GROUP BY 1, 2) AS used"
            " JOIN made_page ON made_page.id = page"
        )
        yield f"INSERT INTO visit_sequence (site_id, last) SELECT id, {self._past.visits} FROM site"
        yield (  # of all that are over the days are told by now
            "INSERT INTO trend_site (site_id, counted_until, chunked_until, counted_before, thinned_day,"
            " thinned_until, time_zone)"
            f" SELECT id, {over_until}, {over_until}, 0, 0, 0, time_zone FROM site"
        )

    def _visits(self, made: str) -> str:
        length = _pick(1, _LONGEST)
        ends = f"{self._start} + {length}"
        place = _pick(11, _PAGES)
        is_told = f"{_pick(2, 20)} = 0"
        email = "'{\"email\":\"visitor' || i || '@mail.example\"}'"
        columns = {
            "site_id": self._site,
            "id": self._id,
            "number": "i",
            "visitor_id": f"CASE WHEN {_pick(3, 4)} = 0 THEN {self._visitor()} ELSE '' END",
            "follows": f"CASE WHEN {_pick(4, 50)} = 0 AND i > 40 THEN {self._id_of('(i - 40)')} ELSE '' END",
            "started_at": self._start,
            "last_seen_at": ends,
            "last_activity_at": ends,
            "in_view_until": ends,
            "page_count": f"1 + {_pick(5, _MOST_VIEWS)}",
            "entry_path": f"'/products/' || {place}",
            "current_path": f"'/products/' || {_pick(12, _PAGES)}",
            "current_title": f"'Product ' || {_pick(12, _PAGES)}",
            "page_context": _one_of([context.value for context in PageContext], 6),
            "referrer": "'https://www.google.com/'",
            "source": _one_of(_SOURCES, 7),
            "browser": _one_of(_BROWSERS, 8),
            "os": _one_of(_SYSTEMS, 9),
            "device": _one_of(("Desktop", "Phone"), 9),
            "country": _one_of(_COUNTRIES, 10),
            "language": "'en-GB'",
            "time_zone": "'Europe/London'",
            "attributes": f"CASE WHEN {is_told} THEN {email} ELSE '{{}}' END",
            "cart_value": "0",
            "visit_number": "0",
        }
        empty = ("source_kind", "medium", "campaign", "cart_currency", "chat_source")
        return _insert("visit", {**columns, **dict.fromkeys(empty, "''")}, made)

    def _views(self, made: str) -> str:
        """Each page view in a tab of its own, as of a website whose pages load anew."""
        columns = {
            "site_id": self._site,
            "visit": "i",
            "tab": "k",
            "number": "1",
            "viewed_after": "(k - 1) * 40000",
            "page": f"(SELECT id FROM made_page WHERE place = {_pick(11, _PAGES, 'i + 7 * k')})",
        }
        return _insert("page_view_row", columns, self._many(made, 5, _MOST_VIEWS))

    def _spans(self, made: str) -> str:
        """In view and active, of each page view."""
        columns = {
            "site_id": self._site,
            "visit": "i",
            "tab": "k",
            "kind": "kind",
            "number": "1",
            "is_open": "0" if self._is_sqlite else "false",
            "from_after": "(k - 1) * 40000",
            "length": f"1000 * {_pick(13, 40)}",
        }
        many = self._many(made, 5, _MOST_VIEWS)
        kinds = "(SELECT 0 AS kind UNION ALL SELECT 1) AS kinds"
        return _insert("visit_span_row", columns, f"{many} CROSS JOIN {kinds}")

    def _changes(self, made: str) -> str:
        """Who told who they are has done so once."""
        columns = {
            "site_id": self._site,
            "visit": "i",
            "number": "1",
            "kind": "1",
            "changed_after": "1000",
            "page": "0",
            "told": "'{\"email\":\"visitor' || i || '@mail.example\"}'",
        }
        return _insert("visit_change_row", columns, f"{made} WHERE {_pick(2, 20)} = 0")

    def _conversations(self, made: str) -> str:
        moment = f"{self._start} + 20000"
        columns = {
            "site_id": self._site,
            "id": f"'c' || {self._id}",
            "visit_id": self._id,
            "token": f"'t' || {self._id}",
            "opened_by": "'visitor'",
            "agent_id": "1",
            "state": "'ended'",
            "created_at": moment,
            "accepted_at": moment,
            "closed_at": f"{moment} + 300000",
            "closed_by": "'silence'",
            "message_at": moment,
            "message_count": f"1 + {_pick(15, _MOST_MESSAGES)}",
            "agent_read": str(_MOST_MESSAGES),
            "visitor_read": str(_MOST_MESSAGES),
            "revision": moment,
        }
        empty = dict.fromkeys(("tab", "rule_id"), "''")
        return _insert("conversation", {**columns, **empty}, f"{made} WHERE {_has_chat()}")

    def _messages(self, made: str) -> str:
        said = " ".join(f"WHEN {place} THEN '{text}'" for place, text in enumerate(_SAID))
        number = "i + 5 * k"
        is_rare = f"{_pick(17, RARE_EVERY, number)} = 0"
        moment = f"{self._start} + 20000 + k * 5000"
        columns = {
            "site_id": self._site,
            "conversation_id": f"'c' || {self._id}",
            "number": "k",
            "author": "CASE k % 2 WHEN 1 THEN 'visitor' ELSE 'agent' END",
            "agent_id": "CASE k % 2 WHEN 1 THEN 0 ELSE 1 END",
            "client_id": "'m' || k",
            "text": f"CASE {_pick(18, len(_SAID), number)} {said} END"
            f" || CASE WHEN {is_rare} THEN ' {RARE_WORD}' ELSE '' END",
            "sent_at": moment,
            "revision": moment,
        }
        many = self._many(made, 15, _MOST_MESSAGES)
        return _insert("message", columns, f"{many} WHERE {_has_chat()}")

    def _numbers(self, first: int, last: int) -> str:
        if not self._is_sqlite:
            return f"generate_series({first}::bigint, {last}) AS made(i)"
        return (
            f"(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n"
            f" WHERE i < {last}) SELECT i FROM n) AS made"
        )

    def _many(self, made: str, salt: int, most: int) -> str:
        """Each visit from one to `most` times, counted by k."""
        numbers = " UNION ALL ".join(f"SELECT {k} AS k" for k in range(1, most + 1))
        return f"{made} JOIN ({numbers}) AS many ON k <= 1 + {_pick(salt, most)}"

    def _id_of(self, number: str) -> str:
        return f"{self._hex(_hash(number))} || {self._hex(number)}"

    def _visitor(self) -> str:
        """Each comes back some three times."""
        visitor = f"({_hash('i')} % {max(self._past.visits // 12, 1)})"
        return f"'v' || {self._hex(visitor)}"

    def _hex(self, number: str) -> str:
        is_sqlite = self._is_sqlite
        return f"printf('%08x', {number})" if is_sqlite else f"lpad(to_hex({number}), 8, '0')"


def _page(place: int) -> tuple[str, str, str]:
    return f"/products/{place}", f"Product {place}", PageContext.PRODUCT.value


def _hash(number: str, salt: int = 0) -> str:
    """32 bits, another for each number of 32 bits: Knuth's multiplicative hash, one for each salt."""
    return f"(({number}) * {2654435761 + salt * 209458} % 4294967296)"


def _pick(salt: int, most: int, number: str = "i") -> str:
    """From 0 to below `most`, by the upper bits, which have no short period."""
    return f"({_hash(number, salt)} / 65536 % {most})"


def _has_chat() -> str:
    return f"{_pick(16, CHAT_EVERY)} = 0"


def _one_of(names: Sequence[str], salt: int) -> str:
    cases = " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(names))
    return f"CASE {_pick(salt, len(names))} {cases} END"


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}"
