"""Whom another service has signed in: the account that they get, or why none."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.accounts.accounts import (
    Account,
    add_account,
    find_account,
    folded_email,
    list_accounts,
    remove_account,
    set_account,
    set_subject,
)
from core.accounts.identity import Role
from core.accounts.provisioning import (
    Denial,
    ExternalIdentity,
    is_allowed,
    provision,
)
from core.database import reading, writing

ISSUER = "https://accounts.example"
ANN = ExternalIdentity("ann@shop.example", "Ann", f"{ISSUER} 1")
BOB = ExternalIdentity("bob@shop.example", "Bob", f"{ISSUER} 2")
SHOP = ("@shop.example",)


@pytest.fixture
def admin(db, now):
    """Somebody who can always change accounts."""
    return add_account(db, "Owner", "owner@shop.example", Role.ADMIN, now)


def admitted(db, who, allowed, now) -> Account:
    """The account that they get."""
    account = provision(db, who, allowed, now)
    assert isinstance(account, Account)
    return account


def test_stranger_on_the_list_gets_an_account_of_an_agent_and_is_known_by_it_again(db, admin, now):
    account = admitted(db, ANN, SHOP, now)
    again = admitted(db, ExternalIdentity("", "Renamed", ANN.subject), (), now)

    assert (account.agent.name, account.agent.email, account.role) == (
        "Ann",
        "ann@shop.example",
        Role.AGENT,
    )
    assert again.id == account.id
    assert len(list_accounts(db)) == 2


@pytest.mark.parametrize(
    ("who", "allowed", "denial"),
    [
        (ANN, (), Denial.NOT_ALLOWED),
        (ANN, ("other.example", "bob@shop.example"), Denial.NOT_ALLOWED),
        (ExternalIdentity("", "Ann", ANN.subject), SHOP, Denial.UNVERIFIED),
    ],
)
def test_stranger_who_is_not_let_in_leaves_nothing(db, admin, now, who, allowed, denial):
    assert provision(db, who, allowed, now) is denial
    assert list_accounts(db) == [admin]


def test_account_is_found_by_its_address_without_any_list_and_knows_the_subject_from_then_on(
    db, admin, now
):
    invited = add_account(db, "Annie", ANN.email, Role.VIEWER, now)
    account = admitted(db, ANN, (), now)
    moved = set_account(db, account.id, email="ann@new.example")

    assert (account.id, account.role, account.agent.name) == (invited.id, Role.VIEWER, "Annie")
    assert admitted(db, ANN, (), now) == find_account(db, moved.id)


def test_address_that_went_to_somebody_else_does_not_open_the_account(db, admin, now):
    admitted(db, ANN, SHOP, now)
    heir = ExternalIdentity(ANN.email, "Ann the second", f"{ISSUER} 9")

    assert provision(db, heir, SHOP, now) is Denial.OTHER_PERSON
    assert len(list_accounts(db)) == 2


def test_account_follows_its_team_to_another_issuer(db, admin, now):
    account = admitted(db, ANN, SHOP, now)
    elsewhere = ExternalIdentity(ANN.email, "Ann", "https://other.example 7")

    assert admitted(db, elsewhere, (), now).id == account.id
    assert admitted(db, ExternalIdentity("", "", elsewhere.subject), (), now).id == account.id


@pytest.mark.parametrize(
    "comes_back_as",
    [
        ANN,
        ExternalIdentity(ANN.email, "Ann", f"{ISSUER} 9"),
        ExternalIdentity("ann.new@shop.example", "Ann", ANN.subject),
    ],
    ids=["as_before", "with_another_subject", "with_another_address"],
)
def test_who_was_removed_comes_back_only_when_somebody_adds_them(db, admin, now, comes_back_as):
    account = admitted(db, ANN, SHOP, now)
    remove_account(db, account.id)

    assert provision(db, comes_back_as, SHOP, now) is Denial.REMOVED
    assert admitted(db, BOB, SHOP, now).agent.name == "Bob"
    invited = add_account(db, "Ann", comes_back_as.email, Role.VIEWER, now)
    assert admitted(db, comes_back_as, SHOP, now).id == invited.id


def test_who_never_came_by_the_service_before_being_removed_does_not_come_back_by_it(
    db, admin, now
):
    remove_account(db, add_account(db, "Ann", ANN.email, Role.AGENT, now).id)

    assert provision(db, ANN, SHOP, now) is Denial.REMOVED
    assert provision(db, ExternalIdentity(ANN.email), None, now) is Denial.REMOVED


def test_role_of_the_service_is_taken_each_time(db, admin, now):
    as_role = [
        admitted(db, ExternalIdentity(ANN.email, "Ann", ANN.subject, role), SHOP, now).role
        for role in (Role.VIEWER, Role.ADMIN, Role.AGENT, None)
    ]
    assert as_role == [Role.VIEWER, Role.ADMIN, Role.AGENT, Role.AGENT]


def test_last_admin_stays_one_whatever_the_service_says(db, admin, now):
    set_subject(db, admin.id, ANN.subject)
    lower = ExternalIdentity("", "Owner", ANN.subject, Role.VIEWER)

    assert admitted(db, lower, (), now).role is Role.ADMIN
    add_account(db, "Second", "second@shop.example", Role.ADMIN, now)
    assert admitted(db, lower, (), now).role is Role.VIEWER


def test_first_admin_is_who_is_named_by_address_and_nobody_whom_a_domain_lets_in(db, now):
    allowed = ("shop.example", "bob@shop.example", "cid@shop.example")
    cid = ExternalIdentity("cid@shop.example", "Cid", f"{ISSUER} 3")

    roles = [admitted(db, who, allowed, now).role for who in (ANN, BOB, cid)]
    assert roles == [Role.AGENT, Role.ADMIN, Role.AGENT]


def test_somebody_who_comes_twice_at_once_gets_one_account(database, now):
    def come(_: int) -> int:
        with writing(database) as db:
            return admitted(db, ANN, SHOP, now).id

    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(come, range(8)))
    with reading(database) as db:
        assert [account.id for account in list_accounts(db)] == list(ids)


def test_everybody_whom_a_proxy_lets_in_gets_an_account_named_after_the_address(db, now):
    account = admitted(db, ExternalIdentity("ann.lee@shop.example"), None, now)

    assert (account.agent.name, account.role) == ("ann.lee", Role.AGENT)


@pytest.mark.parametrize(
    ("email", "allowed", "is_let_in"),
    [
        ("ann@shop.example", ("ann@shop.example",), True),
        ("ann@shop.example", ("shop.example",), True),
        ("ann@shop.example", ("@shop.example",), True),
        ("ann@eu.shop.example", ("shop.example", "@shop.example"), False),
        ("ann@evilshop.example", ("shop.example", "@shop.example"), False),
        ("xann@shop.example", ("ann@shop.example",), False),
        ("ann@shop.example.evil.example", ("shop.example",), False),
    ],
)
def test_entry_of_the_list_stands_for_itself_alone(email, allowed, is_let_in):
    assert is_allowed(email, allowed) is is_let_in


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Ann@Shop.Example", "ann@shop.example"),
        ("ann@shop.example,bob@shop.example", ""),
        ("ann", ""),
        ("\N{KELVIN SIGN}arl@shop.example", ""),
        ("jörg@shop.example", ""),
        ("ann@Müller.example", "ann@xn--mller-kva.example"),
    ],
)
def test_address_is_taken_only_as_one_that_is_meant(text, email):
    assert folded_email(text) == email
