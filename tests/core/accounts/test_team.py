"""The team as an admin sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from core.accounts.accounts import add_account, list_accounts, set_password, set_subject
from core.accounts.identity import Role
from core.accounts.links import LINK_LASTS, make_link
from core.accounts.sessions import ENDS_UNUSED_AFTER, Way, begin_session
from core.accounts.team import read_team
from core.agents import add_agent, mark_seen

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_member_has_their_lasting_sessions_the_one_used_last_first(db: Connection) -> None:
    ann = add_account(db, "Ann", "ann@tea.example", Role.ADMIN, NOW)
    ben = add_account(db, "Ben", "ben@tea.example", Role.AGENT, NOW)
    for hours, browser in ((2, "Firefox"), (1, "Chrome"), (3, "Safari")):
        begin_session(db, ann.id, Way.PROXY, browser, NOW - timedelta(hours=hours))
    begin_session(db, ben.id, Way.OIDC, "Chrome", NOW - ENDS_UNUSED_AFTER)
    team = read_team(db, NOW)
    first, second = team.members
    assert [session.browser for session in first.sessions] == ["Chrome", "Firefox", "Safari"]
    assert first.seen_at == NOW - timedelta(hours=1)
    assert (second.sessions, second.seen_at) == ((), None)


def test_ways_are_those_that_are_known(db: Connection) -> None:
    names = ("nothing", "password", "issuer", "proxy")
    _none, password, issuer, proxy = (
        add_account(db, name, f"{name}@tea.example", Role.VIEWER, NOW) for name in names
    )
    set_password(db, password.id, "a hash")
    set_subject(db, issuer.id, "https://issuer.example 7")
    begin_session(db, proxy.id, Way.PROXY, "Chrome", NOW)
    members = read_team(db, NOW).members
    assert [member.ways for member in members] == [
        (),
        (Way.PASSWORD,),
        (Way.OIDC,),
        (Way.PROXY,),
    ]


def test_link_is_known_until_it_ends(db: Connection) -> None:
    ann = add_account(db, "Ann", "ann@tea.example", Role.ADMIN, NOW)
    make_link(db, ann.id, NOW)
    until = NOW + LINK_LASTS
    last = read_team(db, until - timedelta(milliseconds=1)).members[0].link_until
    ended = read_team(db, until).members[0].link_until
    assert (last, ended) == (until, None)


def test_agents_who_cannot_sign_in_are_apart(db: Connection) -> None:
    eve = add_agent(db, "Eve", NOW)
    ann = add_account(db, "Ann", "ann@tea.example", Role.ADMIN, NOW)
    mark_seen(db, ann.id, NOW + timedelta(minutes=5))
    team = read_team(db, NOW)
    assert [member.account for member in team.members] == list_accounts(db)
    assert team.others == (eve,)
    assert team.find(ann.id) == team.members[0]
    assert team.find(eve.id or 0) is None
    assert team.members[0].seen_at == NOW + timedelta(minutes=5)
