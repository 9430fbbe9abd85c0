"""Links by which an account sets its password: once, for three days, for nobody else."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from core.accounts.accounts import (
    AccountError,
    add_account,
    find_account,
    remove_account,
    set_password,
)
from core.accounts.identity import Role
from core.accounts.links import (
    LINK_LASTS,
    find_link,
    invited_accounts,
    link_path,
    make_link,
    use_link,
)
from core.accounts.sessions import (
    CLOCK_MAY_GO_BACK,
    Way,
    begin_session,
    list_sessions,
)
from core.database import reading, writing
from core.tables import SignInLink
from tests.helpers.chat_rows import INSTANT, NOW


@pytest.fixture
def ann(db):
    return add_account(db, "Ann", "ann@shop.example", Role.ADMIN, NOW)


def password_of(db, account):
    found = find_account(db, account.id)
    assert found is not None
    return found.agent.password


def test_link_sets_the_password_once_and_ends_what_was_signed_in(db, ann):
    secret = make_link(db, ann.id, NOW)
    begin_session(db, ann.id, Way.PASSWORD, "Chrome", NOW)
    assert find_link(db, secret, NOW) == ann
    assert invited_accounts(db, NOW).keys() == {ann.id}

    assert use_link(db, secret, "hash", NOW) == ann
    assert password_of(db, ann) == "hash"
    assert list_sessions(db, ann.id, NOW) == []
    assert invited_accounts(db, NOW).keys() == frozenset()
    with pytest.raises(AccountError, match="was used, or is too old: ask an admin for a new one"):
        use_link(db, secret, "other", NOW)
    assert password_of(db, ann) == "hash"


def test_secret_is_random_and_not_stored(db, ann):
    secret = make_link(db, ann.id, NOW)

    assert len(secret) >= 43  # 256 bits
    assert link_path(secret) == f"/sign-in/link?secret={secret}"
    (row,) = db.execute(select(SignInLink)).all()
    assert secret not in map(str, row)


@pytest.mark.parametrize(("apart", "works"), [(-INSTANT, True), (0 * INSTANT, False)])
def test_link_ends_after_three_days(db, ann, apart, works):
    secret = make_link(db, ann.id, NOW)
    later = NOW + LINK_LASTS + apart

    assert (find_link(db, secret, later) is not None) is works
    assert invited_accounts(db, later).keys() == ({ann.id} if works else set())


@pytest.mark.parametrize(("apart", "works"), [(0 * INSTANT, True), (INSTANT, False)])
def test_link_of_a_clock_that_ran_ahead_does_not_last_longer(db, ann, apart, works):
    secret = make_link(db, ann.id, NOW)

    assert (find_link(db, secret, NOW - CLOCK_MAY_GO_BACK - apart) is not None) is works


def test_newer_link_a_new_password_and_a_removal_end_the_link(db, ann):
    bob = add_account(db, "Bob", "bob@shop.example", Role.VIEWER, NOW)
    first, of_bob = make_link(db, ann.id, NOW), make_link(db, bob.id, NOW)
    second = make_link(db, ann.id, NOW)
    assert find_link(db, first, NOW) is None

    set_password(db, ann.id, "hash")
    assert find_link(db, second, NOW) is None
    remove_account(db, bob.id)
    assert find_link(db, of_bob, NOW) is None
    with pytest.raises(AccountError, match="does not exist any more"):
        make_link(db, bob.id, NOW)


@pytest.mark.parametrize("secret", ["", "nope", "\0", "\ud800", "x" * 100_000])
def test_made_up_secret_is_none(db, ann, secret):
    make_link(db, ann.id, NOW)

    assert find_link(db, secret, NOW) is None


def test_of_two_who_use_the_link_at_once_one_sets_the_password(database):
    with writing(database) as db:
        ann = add_account(db, "Ann", "ann@shop.example", Role.ADMIN, NOW)
        secret = make_link(db, ann.id, NOW)
    together, outcomes = Barrier(2), []

    def use(hashed):
        together.wait()
        try:
            with writing(database) as db:
                use_link(db, secret, hashed, NOW)
            outcomes.append(hashed)
        except AccountError:
            outcomes.append("refused")

    threads = [Thread(target=use, args=[hashed]) for hashed in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as db:
        assert sorted(outcomes) == sorted(["refused", password_of(db, ann)])
