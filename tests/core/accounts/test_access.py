"""Who may use the dashboard, as one answer of the database."""

from core.accounts.access import existing_secret, read_access
from core.accounts.accounts import add_account, limit_account, remove_account, set_account
from core.accounts.identity import Identity, Role
from core.accounts.sessions import ENDS_UNUSED_AFTER, Way, begin_session, end_session
from tests.helpers.chat_rows import NOW, add_agent, add_sites


def test_nobody_can_sign_in_until_there_is_an_account(db):
    ann = add_agent(db, "Ann", NOW)
    begin_session(db, ann.id, Way.PASSWORD, "Chrome", NOW)
    before = read_access(db, NOW)

    assert (before.has_accounts, dict(before.sessions), before.secret) == (False, {}, "")
    set_account(db, ann.id, email="ann@shop.example", role=Role.ADMIN)
    assert read_access(db, NOW).has_accounts


def test_session_is_who_the_account_is_at_this_moment(db):
    add_sites(db, 7)
    add_account(db, "Eve", "eve@shop.example", Role.ADMIN, NOW)
    ann = add_account(db, "Ann", "ann@shop.example", Role.AGENT, NOW)
    id = begin_session(db, ann.id, Way.PASSWORD, "Chrome", NOW).id

    assert read_access(db, NOW).sessions == {id: Identity(ann.id, Role.AGENT, None, id)}
    set_account(db, ann.id, role=Role.VIEWER)
    limit_account(db, ann.id, [7])
    seen = read_access(db, NOW).sessions[id]
    assert seen == Identity(ann.id, Role.VIEWER, frozenset({7}), id)
    assert (seen.sees(7), seen.sees(8), seen.sees(None)) == (True, False, False)
    assert (seen.may(Role.VIEWER), seen.may(Role.AGENT)) == (True, False)
    assert read_access(db, NOW + ENDS_UNUSED_AFTER).sessions == {}


def test_ended_session_and_removed_account_are_nobody(db):
    ann, eve = (
        add_account(db, name, f"{name}@shop.example", Role.ADMIN, NOW) for name in ("Ann", "Eve")
    )
    ended, removed = (
        begin_session(db, each.id, Way.PASSWORD, "Chrome", NOW).id for each in (ann, eve)
    )
    assert set(read_access(db, NOW).sessions) == {ended, removed}

    end_session(db, ended)
    remove_account(db, eve.id)
    assert read_access(db, NOW).sessions == {}


def test_secret_is_made_once(db):
    secret = existing_secret(db)

    assert len(secret) >= 43  # 256 bits
    assert existing_secret(db) == secret == read_access(db, NOW).secret
