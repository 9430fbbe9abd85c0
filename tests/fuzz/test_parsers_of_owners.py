"""What owners, agents and the environment say: each parser keeps it as it is read again, or refuses in plain words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.origin import compile_domains, is_allowed, read_origin
from core.accounts.accounts import AccountError, check_email, folded_email
from core.accounts.identity import Role
from core.accounts.passwords import PasswordError, check_password
from core.accounts.provisioning import is_allowed as is_allowed_email
from core.agents import AgentError, check_agent_name
from core.chat.limits import LONGEST_MESSAGE
from core.chat.templates import ChatSettingsError, check_length, check_text
from core.enrich.text import clean, clean_lines
from core.own_visits import own_link, website_address
from core.settings import CURES, SettingsError, settings
from core.site_tag import site_tag, tag_without_attributes
from core.sites import (
    SiteError,
    check_context_rules,
    check_domain,
    check_domains,
    check_key,
    check_name,
    check_own_networks,
    check_query_keys,
    check_time_zone,
    domain_of_address,
)
from core.tables import Site
from pages.sites.saving import lines_of
from tests.fuzz.examples import TEXTS, WHOLE_TEXTS, examples
from tests.fuzz.test_parsers_of_visitors import ADDRESSES, HOSTS

REFUSALS = (SiteError, AgentError, AccountError, ChatSettingsError, PasswordError)
DOMAINS = TEXTS | HOSTS | HOSTS.map(lambda host: f"https://{host}:8443") | HOSTS.map(str.upper)
VALUES = WHOLE_TEXTS.map(lambda text: text.replace("\0", ""))
"""What an environment can hold."""


def checked(check: Callable[[str], object], text: str) -> object:
    """What the check gives, the same when it is checked again; None where it is refused, in words."""
    try:
        found = check(text)
    except REFUSALS as refusal:
        assert str(refusal).endswith((".", "'"))
        return None
    assert isinstance(found, str)
    assert check(found) == found
    return found


@examples
@given(DOMAINS)
def test_a_domain_allows_its_own_pages(text: str) -> None:
    domain = checked(check_domain, text)
    if not isinstance(domain, str):
        return
    assert domain == domain.lower()
    origin = read_origin((domain if "://" in domain else f"https://{domain}").encode())
    assert is_allowed(compile_domains([domain], accepts_null=False), origin)
    assert check_domains([domain, domain]) == [domain]
    assert website_address([domain], []).startswith(("https://", "http://"))


@examples
@given(DOMAINS | HOSTS.map(lambda host: f"https://www.{host}/tea?x=y#z"))
def test_the_domain_of_an_address_is_one(text: str) -> None:
    found = checked(domain_of_address, text)
    if isinstance(found, str):
        assert check_domain(found) == found
        assert own_link(website_address([found], [])).isascii()


@examples
@given(
    st.lists(TEXTS | st.from_regex(r"[\w.:~$\[\]-]{1,20}", fullmatch=True), max_size=3),
    st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
)
def test_a_tag_is_one_tag_whatever_keys_it_has(keys: list[str], key: str) -> None:
    try:
        kept = check_query_keys(keys)
    except SiteError as refusal:
        assert str(refusal)
        return
    assert check_query_keys(kept) == kept
    site = Site(key=check_key(key), name="x", query_keys=kept)  # pyright: ignore[reportCallIssue]
    for tag in (
        site_tag(site, "https://monitor.example"),
        tag_without_attributes(site, "https://monitor.example"),
    ):
        assert tags_in(tag) == ["script"]


def tags_in(text: str) -> list[str]:
    found: list[str] = []

    class ShownText(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)
            assert {name for name, _ in attrs} <= {"async", "src", "data-site", "data-query"}

        def handle_data(self, data: str) -> None:
            found.append(f"text {data}")

    ShownText().feed(text)
    return found


@examples
@given(TEXTS | ADDRESSES.map(str))
def test_an_own_network_is_kept_as_it_was_read(text: str) -> None:
    try:
        kept = check_own_networks([text, text])
    except SiteError as refusal:
        assert str(refusal)
        return
    assert len(kept) == 1
    assert check_own_networks(kept) == kept


@examples
@given(TEXTS | st.sampled_from(["UTC", "Europe/Berlin", "europe/berlin", "../UTC", "Etc/GMT+5"]))
def test_a_time_zone_that_is_taken_can_be_used(text: str) -> None:
    found = checked(check_time_zone, text)
    assert found is None or ZoneInfo(text).key == found


@examples
@given(TEXTS, st.sampled_from(["cart", "In Checkout", "none", "x"]) | TEXTS)
def test_context_rules_are_kept_as_they_were_read(pattern: str, context: str) -> None:
    try:
        [kept] = check_context_rules([{"pattern": pattern, "context": context}])
    except SiteError as refusal:
        assert str(refusal)
        return
    assert check_context_rules([kept]) == [kept]


@examples
@given(TEXTS)
def test_a_name_is_one_clean_line_and_a_text_clean_lines(text: str) -> None:
    for check, limit in ((check_name, 100), (check_agent_name, 40)):
        found = checked(check, text)
        assert found is None or found == clean(str(found), limit)
    found = checked(check_text, text)
    if isinstance(found, str):
        check_length(text)
        assert found == clean_lines(found, LONGEST_MESSAGE)
    checked(check_key, text)
    assert "" not in lines_of(text)


@examples
@given(TEXTS | st.emails() | st.emails().map(str.upper))
def test_an_address_is_folded_once_and_for_all(text: str) -> None:
    folded = folded_email(text)
    assert folded_email(folded) == folded
    assert folded.isascii()
    assert folded == folded.lower()
    assert checked(check_email, text) == (folded or None)
    assert is_allowed_email(folded, [folded]) is True
    assert not is_allowed_email(f"x@{folded}.invalid", ["shop.example"])


@examples
@given(TEXTS, TEXTS)
def test_a_password_is_taken_as_it_is_or_refused(password: str, known: str) -> None:
    checked(lambda text: check_password(text, known, ""), password)
    assert Role.of(password) is None or password in [role.word for role in Role]


@pytest.mark.parametrize("name", sorted(CURES))
@examples
@given(value=VALUES | st.integers().map(str) | st.sampled_from(["x" * 5_000, "~", ".", "/", "on"]))
def test_a_setting_is_used_or_refused_with_its_cure(name: str, value: str) -> None:
    variable = f"MONITOR_{name.upper()}"
    with patch.dict(os.environ, {variable: value}):
        try:
            chosen = settings.__wrapped__()
        except SettingsError as refusal:
            assert re.match(rf"{variable} (is '|needs )", str(refusal))
            assert CURES[name] in str(refusal) or "needs" in str(refusal)
            return
    for address in (chosen.public_address, chosen.dashboard_address, chosen.local_dashboard):
        assert not address.endswith("/")
    assert isinstance(chosen.public_path, str)
