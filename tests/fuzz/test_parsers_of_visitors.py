"""What visitors and what is on the way send: each parser gives something clean and bounded, or refuses."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import unicodedata
from ipaddress import ip_address

import msgspec
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from collector.beacon.hit import (
    LONGEST_CAMPAIGN,
    LONGEST_TITLE,
    MOST_CART_VALUE,
    OLDEST_ACTIVITY,
    OLDEST_EVENT,
    Enrichment,
    make_hit,
)
from collector.beacon.wire import Beacon, read_beacon
from collector.chat.request import ChatAction, ChatRequest, read_request
from collector.http.admission import RequestDetails
from collector.http.json_body import Malformed
from collector.origin import NO_ORIGIN, compile_domains, is_allowed, read_origin
from collector.site_cache import TrackedSite
from core.chat.limits import LONGEST_MESSAGE
from core.client import UNKNOWN_CLIENT, Clients
from core.enrich.address import embedded_ipv4, parse_address
from core.enrich.invisible import drop_direction, drop_loose, escape_direction
from core.enrich.page_context import PageContext, find_context, make_rule
from core.enrich.page_url import read_page_url
from core.enrich.query_keys import is_always_secret, is_secret, keep_query
from core.enrich.source import find_source
from core.enrich.source_table import SourceKind
from core.enrich.text import (
    LONGEST_ATTRIBUTE,
    LONGEST_ATTRIBUTE_NAME,
    LONGEST_PATH,
    LONGEST_REFERRER,
    clean,
    clean_lines,
    clean_path,
)
from core.enrich.this_machine import is_direct, is_loopback, names_this_machine
from core.enrich.url import LONGEST_HOST, is_ip_host, readable_host, split_host, split_url
from core.enrich.user_agent import read_user_agent
from core.frames.csv_export import csv_of
from core.log_format import JsonFormatter
from core.own_visits import network_text, own_finder, read_network
from core.reasons import Refused
from core.tables import ChatLook
from core.visits.hit import Hit
from core.visits.labels import visitor_label, visitor_name
from core.visits.money import money_label
from core.visits.tab_state import Memory, TabState, read_memory, write_memory
from core.visits.visit import MAX_ATTRIBUTES
from tests.fuzz.examples import BYTES, JSON, TEXTS, WHOLE_TEXTS, bodies, examples
from tests.fuzz.fuzz_requests import valid_beacon, valid_opening
from tests.helpers.running_collector import CHROME

VISIT, NOW = "a1b2c3d4e5f6g7h8", 1_794_830_400_000
BEACON = valid_beacon(VISIT, "tab00001", 1)
BEACON["b"] += [
    {"e": "i", "n": 2, "u": "/", "i": {"name": "Ann", "email": "ann@shop.example"}},
    {"e": "p", "n": 3, "p": 1, "o": 1.5, "a": 3, "u": "/cart", "z": "Europe/Berlin"},
]
SITE = TrackedSite(
    id=1,
    key="fuzz",
    tracking_enabled=True,
    allowed=compile_domains([], accepts_null=False),
    find_context=lambda path, query, own, signal: str(
        find_context(path, query, own=own, signal=signal)
    ),
    chat_button=False,
    time_zone="UTC",
    query_keys=frozenset(),
    is_own=own_finder(()),
    look=ChatLook(site_id=1),
)
KNOWN = Enrichment(lambda client, hint: "", (), counts_bots=True)
ADDRESSES = st.ip_addresses()
HOSTS = st.from_regex(r"[a-z0-9~_-]{1,9}(\.[a-z0-9-]{1,9}){0,3}", fullmatch=True)


HEADERS = BYTES.map(lambda header: header.decode("latin-1"))
"""As HTTP hands them over."""

AGES = st.integers(-10, 10**9) | st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.fixed_dictionaries(
    {
        "e": st.sampled_from(["v", "v", "p", "h", "i", "c", "new"]),
        "n": st.integers(1, 2**31 - 1),
        "u": TEXTS.map(lambda text: f"/{text}"),
    },
    optional={
        **dict.fromkeys(("q", "d", "r", "c", "m", "g", "j", "l"), TEXTS),
        **dict.fromkeys(("o", "a"), AGES),
        **dict.fromkeys(("x", "xs"), st.sampled_from(["cart", "none", "", "basement"]) | TEXTS),
        "s": st.sampled_from(["start", "message", "end", "x"]),
        "z": st.sampled_from(["Europe/Berlin", "Etc/GMT+5"]) | TEXTS,
        "p": st.integers(0, 2**31 - 1),
        "f": st.integers(-1, 2),
        "y": st.integers(-(2**63), 2**63 - 1),
        "i": st.dictionaries(TEXTS, TEXTS, max_size=14),
        "cv": JSON | st.sampled_from([0, 12.5, "12.50", 1e12, 1e13, "1e-300", "٣"]),
        "cc": JSON | st.sampled_from(["EUR", "eur", "EURO"]),
    },
)


def is_clean(text: str, limit: int) -> bool:
    return len(text) <= limit and clean(text, limit) == text


# --- the wire


@examples
@given(bodies(BEACON))
def test_any_body_is_a_beacon_or_malformed(body: bytes) -> None:
    found = read_beacon(body)
    if isinstance(found, Malformed):
        assert found.message
        assert "\n" not in found.message
        return
    assert 1 <= len(found.b) <= 20
    msgspec.json.encode(found)  # raises for half characters


@examples
@given(st.lists(EVENTS, min_size=1, max_size=4), HEADERS, st.booleans())
def test_any_beacon_becomes_a_clean_hit_or_is_refused(
    events: list[dict[str, object]], header: str, is_private: bool
) -> None:
    # What msgspec takes: no NaN, and half characters as bytes that are no UTF-8.
    sent = json.dumps(BEACON | {"b": events}, ensure_ascii=False).replace("NaN", "0")
    beacon = read_beacon(sent.replace("Infinity", "0").encode("utf-8", "surrogatepass"))
    assert isinstance(beacon, Beacon), beacon
    request = RequestDetails(
        NOW, UNKNOWN_CLIENT, CHROME + header, header, header, header, "", header, is_private
    )
    known = msgspec.structs.replace(KNOWN, salts=("yesterday", "today"))
    hit = make_hit(beacon, request, SITE, known)
    assert isinstance(hit, Hit | Refused)
    if isinstance(hit, Hit):
        check_hit(hit)


def check_hit(hit: Hit) -> None:
    """All of it may be stored: clean, bounded, and in time."""
    assert all(re.fullmatch(r"[a-z0-9]{16,40}", visit_id) for visit_id in hit.visit_ids)
    assert re.fullmatch(r"([A-Za-z0-9_+/-]{0,100})", hit.time_zone)
    for event in hit.events:
        assert NOW - OLDEST_EVENT * 1000 <= event.at <= NOW
        assert (
            event.active_at == 0 or event.at - OLDEST_ACTIVITY * 1000 <= event.active_at <= event.at
        )
        assert not event.path or clean_path(event.path) == event.path
        assert is_clean(event.path, LONGEST_PATH)
        assert is_clean(event.title, LONGEST_TITLE)
        assert event.context in set(PageContext)
        pairs = event.attributes or {}
        assert len(pairs) <= MAX_ATTRIBUTES
        assert all(is_clean(name, LONGEST_ATTRIBUTE_NAME) for name in pairs)
        assert all(value and is_clean(value, LONGEST_ATTRIBUTE) for value in pairs.values())
        if event.cart:
            assert 0 <= event.cart.value <= MOST_CART_VALUE
            assert re.fullmatch(r"([A-Z]{3})?", event.cart.currency)
    if opening := hit.opening:
        assert is_clean(opening.referrer, LONGEST_REFERRER)
        assert opening.source
        for label in (opening.source, opening.browser, opening.os, opening.device):
            assert is_clean(label, LONGEST_HOST)
        assert is_clean(opening.medium, LONGEST_CAMPAIGN)
        assert is_clean(opening.campaign, LONGEST_CAMPAIGN)
        assert re.fullmatch(r"[A-Za-z0-9-]{0,40}", opening.language)


@examples
@given(st.sampled_from(ChatAction), bodies(valid_opening(VISIT, "tab00001", "message00001")))
def test_any_body_is_a_chat_request_or_malformed(action: ChatAction, body: bytes) -> None:
    found = read_request(action, body)
    if isinstance(found, Malformed):
        assert found.message
        assert "\n" not in found.message
        return
    assert isinstance(found, ChatRequest)
    msgspec.json.encode(found)
    text = clean_lines(found.x, LONGEST_MESSAGE)
    assert len(text) <= LONGEST_MESSAGE
    assert not [
        char for char in text if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"
    ]


# --- addresses, origins and hosts


@examples
@given(ADDRESSES)
def test_an_address_is_read_as_it_is_written(address: object) -> None:
    found = parse_address(str(address))
    assert found is not None
    assert parse_address(str(found)) == found
    assert parse_address(f"[{found}]:8080" if ":" in str(found) else f"{found}:8080") == found
    carried = embedded_ipv4(found)
    assert carried is None or carried.version == 4


@examples
@given(
    TEXTS | ADDRESSES.map(str),
    st.none() | BYTES | st.lists(ADDRESSES.map(str)).map(lambda each: ", ".join(each).encode()),
)
def test_who_asks_is_an_address_or_nobody(peer: str, forwarded: bytes | None) -> None:
    warnings: list[str] = []
    trusting = Clients([read_network("0.0.0.0/8"), read_network("10.0.0.0/8")], warnings.append)  # pyright: ignore[reportArgumentType]
    found = trusting.find(peer, forwarded)
    assert found.text == "" or ip_address(found.text) == found.address
    assert "/" in found.block or found.block == found.text
    # What somebody claims who is no trusted proxy changes nothing.
    nobody = Clients([], warnings.append)
    assert nobody.find(peer, forwarded) == nobody.find(peer, None)


@examples
@given(BYTES | HOSTS.map(lambda host: f"https://{host}".encode()))
@example(b"https://\xb5.example")
def test_an_origin_is_read_once_and_for_all(header: bytes) -> None:
    found = read_origin(header)
    if found == NO_ORIGIN:
        return
    assert found.host
    assert found.host in found.text
    assert not {"@", "?", "#", " "} & set(found.text)
    assert read_origin(found.text.encode("latin-1")) == found
    assert is_allowed(compile_domains([found.text], accepts_null=False), found)
    assert is_allowed(compile_domains([found.host], accepts_null=False), found)
    assert not is_allowed(compile_domains(["other.invalid"], accepts_null=True), found)


@examples
@given(TEXTS | HOSTS.map(lambda host: f"https://{host}:80/a?b#c"))
def test_a_url_is_split_or_is_none(text: str) -> None:
    url = split_url(text)
    if url is None:
        return
    assert len(url.host) <= LONGEST_HOST
    assert url.host == url.host.lower()
    assert not {"@", "/", "?", "#"} & set(url.host)
    assert split_host(url.host + url.port) == (url.host, url.port)
    assert isinstance(is_ip_host(url.host), bool)
    assert readable_host(url.host)


@examples
@given(TEXTS)
def test_whether_this_machine_is_named_is_always_known(text: str) -> None:
    assert names_this_machine(text) or not is_loopback(text)
    assert is_direct([text]) in (True, False)
    assert not is_direct([f"x-forwarded-{text}"]) or "\n" in text


@examples
@given(
    TEXTS
    | ADDRESSES.map(str)
    | st.tuples(ADDRESSES, st.integers(0, 130)).map(lambda pair: f"{pair[0]}/{pair[1]}")
)
def test_a_network_is_read_as_it_is_written(text: str) -> None:
    network = read_network(text)
    if network is None:
        return
    written = network_text(network)
    assert read_network(written) == network
    assert own_finder([written])(network.network_address)


# --- pages


@examples
@given(TEXTS, TEXTS)
def test_any_page_has_words_and_one_context(path: str, query: str) -> None:
    page, inner = read_page_url(f"/{path}", query)
    for each in filter(None, (page, inner)):
        assert each.head == (each.segments[0] if each.segments else "")
        assert each.step == each.step.lower()
    assert find_context(f"/{path}", query) in set(PageContext)


@examples
@given(
    TEXTS.map(lambda text: f"/{text}") | TEXTS, st.sampled_from(["cart", "Checkout", "none", "x"])
)
def test_a_context_rule_is_kept_as_it_was_read(pattern: str, context: str) -> None:
    try:
        rule = make_rule(pattern, context)
    except ValueError as refusal:
        assert str(refusal)
        return
    assert make_rule(rule.pattern, context) == rule
    assert is_clean(rule.pattern, 2_048)
    page = rule.pattern.replace("*", "")
    assert find_context(page if page.startswith("/") else f"/{page}", rules=[rule]) in set(
        PageContext
    )


@examples
@given(TEXTS, st.frozensets(st.sampled_from(["a", "color", "q", "token"]), max_size=2))
def test_a_query_keeps_what_it_may_and_nothing_secret(text: str, keys: frozenset[str]) -> None:
    path = clean_path(f"/p?{text}&token=s3cret&a=b")
    kept = keep_query(path, keys)
    assert len(kept) <= len(path)
    assert keep_query(kept, keys) == kept
    assert "s3cret" not in kept or "token" in keys
    assert is_secret("token")
    assert is_secret(text) or not is_always_secret(text)


@examples
@given(TEXTS)
def test_what_is_loose_is_dropped_once_and_for_all(text: str) -> None:
    line = drop_direction(text)
    assert drop_direction(line) == line
    assert drop_direction(escape_direction(text)) == escape_direction(text)
    assert len(drop_loose(text)) <= len(text)


# --- who comes, from where


@examples
@given(TEXTS | HOSTS.map(lambda host: f"https://{host}/"), TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_source_is_a_clean_label(
    referrer: str, host: str, source: str, medium: str, click_ids: str
) -> None:
    found = find_source(
        referrer=referrer,
        own_host=host,
        utm_source=clean(source, LONGEST_CAMPAIGN),
        utm_medium=clean(medium, LONGEST_CAMPAIGN),
        click_ids=clean(click_ids, LONGEST_CAMPAIGN),
    )
    assert found.kind in SourceKind
    assert found.label
    assert is_clean(found.label, LONGEST_HOST)


@examples
@given(HEADERS, HEADERS, HEADERS, st.integers())
def test_a_browser_is_named_in_few_words(agent: str, hint: str, brands: str, touch: int) -> None:
    found = read_user_agent(
        f"{CHROME} {agent}", brands=brands, platform=hint, mobile=hint, touch_points=touch
    )
    for label in (found.browser, found.os, found.device):
        assert label
        assert is_clean(label, 40)


@examples
@given(st.floats() | st.integers(), st.sampled_from(["", "EUR", "JPY", "CLF", "XYZ"]))
def test_an_amount_is_shown_or_is_nothing(amount: float, currency: str) -> None:
    shown = money_label(amount, currency)
    assert bool(shown) == (amount > 0)
    assert shown.isprintable()


@examples
@given(st.dictionaries(WHOLE_TEXTS, WHOLE_TEXTS, max_size=3), WHOLE_TEXTS, WHOLE_TEXTS)
def test_every_visitor_has_a_name(pairs: dict[str, str], browser: str, country: str) -> None:
    assert visitor_label(visitor_name(pairs), browser, country)


# --- what is stored, and taken out again


@examples
@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9]{4,16}", fullmatch=True),
        st.tuples(WHOLE_TEXTS, WHOLE_TEXTS),
        max_size=3,
    )
)
def test_a_visits_memory_comes_back_as_it_was(tabs: dict[str, tuple[str, str]]) -> None:
    memory = Memory(
        tabs={
            name: TabState(number=1, at=NOW, path=path, title=title)
            for name, (path, title) in tabs.items()
        }
    )
    assert read_memory(write_memory(memory)) == memory


@examples
@given(st.lists(st.tuples(WHOLE_TEXTS, WHOLE_TEXTS), min_size=1, max_size=4))
def test_a_csv_has_each_cell_and_runs_none(rows: list[tuple[str, str]]) -> None:
    text = csv_of(pd.DataFrame(rows, columns=["path", "title"]))
    header, *read = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert header == ["path", "title"]
    assert len(read) == len(rows)
    for cells, row in zip(read, rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            assert cell in (value, f"'{value}")
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))
            assert not cell.startswith(("\t", "\r", "\n"))


@examples
@given(TEXTS, JSON)
def test_a_line_of_the_json_log_is_one_object(message: str, value: object) -> None:
    record = logging.LogRecord("core", logging.INFO, "", 0, "fact=%s %r", (message, value), None)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line)["message"] == record.getMessage()
