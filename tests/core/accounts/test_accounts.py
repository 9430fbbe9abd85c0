"""Accounts: who they are found by, what they become, and what is left when they go."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.accounts.accounts import (
    AccountError,
    add_account,
    change_password,
    count_accounts,
    existing_account,
    find_account,
    find_by_email,
    find_by_subject,
    limit_account,
    list_accounts,
    remove_account,
    set_account,
    set_password,
    set_subject,
)
from core.accounts.identity import Role
from core.accounts.sessions import Way, begin_session, list_sessions
from core.agents import (
    AgentError,
    attended_sites,
    available_agents,
    change_agent,
    find_agent,
    list_agents,
)
from core.chat.messages import send_as_agent
from core.database import reading, writing
from core.removal import delete_some, remove_site
from core.sites import add_site
from core.tables import AgentSite, Conversation, Message
from tests.helpers.chat_rows import NOW, add_agent, add_sites, add_visit, client_id, opened

LAST_ADMIN = "This is the last admin: make another account an admin first"


def account(db, name="Ann", role=Role.ADMIN, email=""):
    return add_account(db, name, email or f"{name}@shop.example", role, NOW)


def begin(db, of):
    return begin_session(db, of.id, Way.PASSWORD, "Chrome, Windows", NOW).id


def sessions(db, of):
    return [session.id for session in list_sessions(db, of.id, NOW)]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("ann@shop.example", "ann@shop.example"),
        (" Ann.O'Neill+tea@Shop.EXAMPLE ", "ann.o'neill+tea@shop.example"),
        ("ann@Müller.example", "ann@xn--mller-kva.example"),
        ("ann@mu\u0308ller.example", "ann@xn--mller-kva.example"),
        ("ann@XN--MLLER-KVA.example", "ann@xn--mller-kva.example"),
    ],
)
def test_address_has_one_form_however_it_is_written(db, given, stored):
    ann = account(db, email=given)

    assert ann.agent.email == stored
    assert find_by_email(db, given) == find_by_email(db, stored) == ann
    with pytest.raises(AccountError, match=r"Ann has the address .* already: take another"):
        account(db, "Bob", email=given)
    assert list_accounts(db) == [ann]


@pytest.mark.parametrize(
    "address",
    [
        *("", "ann", "@shop.example", "ann@", "ann@@shop.example", "ann o@shop.example"),
        *("ann@shop example", "ann\0@shop.example", "ann@shop.example\0x", "ann@\ud800.example"),
        *("bob@shop.example,ann@shop.example", "<ann@shop.example>", "jörg@shop.example"),
        *("\N{KELVIN SIGN}arl@shop.example", "x" * 65 + "@shop.example"),
        *("ann@" + "shop." * 60 + "example", "a" * 1_000_000 + "@shop.example"),
    ],
)
def test_what_is_no_address_is_told_and_found_nowhere(db, address):
    account(db, "Karl")

    assert find_by_email(db, address) is None
    with pytest.raises(AccountError, match="is no e-mail address: write one such as") as refusal:
        account(db, "Bob", email=address or " ")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 200


def test_agent_of_before_becomes_an_account_and_keeps_the_chats(db):
    add_sites(db, 7)
    ann, bob = add_agent(db, "Ann", NOW), add_agent(db, "Bob", NOW)
    add_visit(db)
    chat = opened(db, agent_id=ann.id)
    assert find_account(db, ann.id) is None

    for change in (
        lambda: set_account(db, ann.id, role=Role.ADMIN),
        lambda: set_account(db, ann.id, email="ann@shop.example"),
        lambda: set_account(db, ann.id, name="Anna"),
    ):
        with pytest.raises(AccountError, match="needs a role and an e-mail address"):
            change()
    became = set_account(db, ann.id, name="Anna", email="ann@shop.example", role=Role.ADMIN)

    assert (became.id, became.agent.name, became.role, became.site_ids) == (
        *(ann.id, "Anna", Role.ADMIN),
        None,
    )
    assert chat.agent_id == became.id
    assert [each.id for each in list_accounts(db)] == [ann.id]
    assert find_account(db, bob.id) is None


@pytest.mark.parametrize("agent_id", [99, 2**31 - 1])
def test_agent_who_is_not_there_is_told(db, agent_id):
    with pytest.raises(AgentError, match="not known"):
        set_account(db, agent_id, email="ann@shop.example", role=Role.ADMIN)
    for change in (
        lambda: existing_account(db, agent_id),
        lambda: limit_account(db, agent_id, None),
        lambda: set_password(db, agent_id, "hash"),
        lambda: remove_account(db, agent_id),
    ):
        with pytest.raises(AccountError, match="does not exist any more"):
            change()


def test_last_admin_stays_one_while_there_are_others(db):
    ann, eve = account(db), account(db, "Eve", Role.AGENT)

    for change in (
        lambda: set_account(db, ann.id, role=Role.AGENT),
        lambda: set_account(db, ann.id, role=Role.VIEWER),
        lambda: limit_account(db, ann.id, []),
        lambda: remove_account(db, ann.id),
    ):
        with pytest.raises(AccountError, match=LAST_ADMIN):
            change()
    set_account(db, eve.id, role=Role.ADMIN)
    set_account(db, ann.id, role=Role.VIEWER)
    with pytest.raises(AccountError, match=LAST_ADMIN):
        remove_account(db, eve.id)
    remove_account(db, ann.id)
    remove_account(db, eve.id)  # nobody is left who would be shut out
    assert count_accounts(db) == 0


def test_admin_of_some_sites_does_not_count_as_the_last_one(db):
    ann, ben = account(db), account(db, "Ben")

    limit_account(db, ben.id, [])
    with pytest.raises(AccountError, match=LAST_ADMIN):
        remove_account(db, ann.id)
    remove_account(db, ben.id)


def test_of_two_admins_who_remove_each_other_at_once_one_stays(database):
    with writing(database) as db:
        pair = [account(db, name) for name in ("Ann", "Bob")]
        account(db, "Eve", Role.AGENT)
    together = Barrier(2)

    def remove(other):
        together.wait()
        try:
            with writing(database) as db:
                remove_account(db, other.id)
        except AccountError:
            pass

    threads = [Thread(target=remove, args=[each]) for each in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as db:
        roles = [each.role for each in list_accounts(db)]
    assert sorted(roles) == [Role.AGENT, Role.ADMIN]


def test_removed_account_signs_in_no_more_and_leaves_its_name_in_its_chats(db):
    add_sites(db, 7)
    account(db, "Eve")
    ann = account(db, "Ann", Role.AGENT)
    set_password(db, ann.id, "hash")
    set_subject(db, ann.id, "https://accounts.example 17")
    limit_account(db, ann.id, [7])
    change_agent(db, ann.id, is_available=True)
    begin(db, ann)
    add_visit(db)
    chat = opened(db, agent_id=ann.id)
    send_as_agent(db, chat, agent_id=ann.id, client_id=client_id(), text="Hello", now=NOW)

    remove_account(db, ann.id)

    assert find_account(db, ann.id) is None
    assert find_by_email(db, "ann@shop.example") is None
    assert find_by_subject(db, "https://accounts.example 17") is None
    assert sessions(db, ann) == []
    assert ann.id not in [each.id for each in available_agents(db, NOW, 7)]
    left = next(each for each in list_agents(db) if each.id == ann.id)
    assert (left.name, left.role, left.password, left.is_limited) == ("Ann", "", "", False)
    assert db.execute(select(AgentSite)).all() == []
    assert db.execute(select(col(Conversation.agent_id))).scalar_one() == ann.id
    by_agent = select(col(Message.agent_id)).where(col(Message.author) == "agent")
    assert set(db.execute(by_agent).scalars()) == {ann.id}


def test_browser_of_before_is_no_more_the_one_of_a_removed_account(db):
    ann = add_agent(db, "Ann", NOW, "secret of Ann")
    set_account(db, ann.id, email="ann@shop.example", role=Role.ADMIN)
    assert find_agent(db, "secret of Ann") is not None

    remove_account(db, ann.id)

    assert find_agent(db, "secret of Ann") is None


def test_address_of_a_removed_account_is_free_and_is_another_person(db):
    account(db, "Eve")
    first = account(db, "Ann", Role.VIEWER)
    remove_account(db, first.id)
    second = account(db, "Ann", Role.VIEWER)

    assert second.id != first.id
    assert find_by_email(db, "ann@shop.example") == second


def test_removed_agent_can_be_made_an_account_anew_without_what_it_had(db):
    add_sites(db, 7)
    account(db, "Eve")
    ann = account(db, "Ann", Role.AGENT)
    set_password(db, ann.id, "hash")
    limit_account(db, ann.id, [7])
    remove_account(db, ann.id)
    begin(db, ann)  # whose password was verified just before

    again = set_account(db, ann.id, email="ann@shop.example", role=Role.VIEWER)
    assert (again.agent.password, again.agent.subject, again.site_ids) == ("", "", None)
    assert sessions(db, again) == []


def test_new_password_ends_every_session_but_the_one_kept(db):
    ann, eve = account(db), account(db, "Eve")
    here, _, of_eve = begin(db, ann), begin(db, ann), begin(db, eve)

    set_password(db, ann.id, "hash", keep_session=here)
    assert sessions(db, ann) == [here]
    set_password(db, ann.id, "other")
    assert sessions(db, ann) == []
    assert sessions(db, eve) == [of_eve]


def test_password_is_changed_only_in_place_of_the_one_that_was_verified(db):
    ann = account(db)
    set_password(db, ann.id, "old")
    here = begin(db, ann)

    change_password(db, ann.id, "old", "new", keep_session=here)
    assert sessions(db, ann) == [here]
    with pytest.raises(AccountError, match="was changed meanwhile"):
        change_password(db, ann.id, "old", "newer", keep_session=here)
    assert existing_account(db, ann.id).agent.password == "new"


def test_identity_of_an_issuer_is_one_account(db):
    ann, bob = account(db), account(db, "Bob")
    set_subject(db, ann.id, "https://accounts.example 17")
    set_subject(db, ann.id, "https://accounts.example 17")

    assert find_by_subject(db, "https://accounts.example 17") == existing_account(db, ann.id)
    with pytest.raises(AccountError, match="Ann is known by this identity already"):
        set_subject(db, bob.id, "https://accounts.example 17")
    for subject in ("", "\0", "https://accounts.example 18"):
        assert find_by_subject(db, subject) is None


def test_only_who_may_chat_and_sees_the_site_is_available_to_it(db):
    add_sites(db, 7, 8)
    before = add_agent(db, "Ann", NOW - timedelta(hours=1))
    viewer, limited = (account(db, name, Role.AGENT) for name in ("Eve", "Bob"))
    for each in (viewer, limited):
        change_agent(db, each.id, is_available=True)
    assert attended_sites(db, NOW) is None

    set_account(db, viewer.id, role=Role.VIEWER)
    limit_account(db, limited.id, [8])

    names = {site: [each.name for each in available_agents(db, NOW, site)] for site in (7, 8)}
    assert names == {7: [], 8: ["Bob"]}
    assert attended_sites(db, NOW) == {8}
    assert before.name not in names[8]


def test_limit_is_taken_back_and_none_is_not_all(db):
    add_sites(db, 7, 8)
    ann = account(db, "Ann", Role.AGENT)

    assert limit_account(db, ann.id, [8, 7, 8]).site_ids == {7, 8}
    assert limit_account(db, ann.id, []).site_ids == frozenset()
    assert limit_account(db, ann.id, [7]).site_ids == {7}
    assert limit_account(db, ann.id, None).site_ids is None
    assert db.execute(select(func.count()).select_from(AgentSite)).scalar_one() == 0


def test_account_whose_only_site_is_deleted_sees_none_and_not_the_next_with_its_number(db):
    tea = add_site(db, name="Tea", key="tea", now=NOW).id or 0
    ann, bob = account(db, "Ann", Role.AGENT), account(db, "Bob", Role.AGENT)
    limit_account(db, ann.id, [tea])
    remove_site(db, "tea", "Tea", NOW)
    with pytest.raises(AccountError, match="One of these sites is deleted"):
        limit_account(db, bob.id, [tea])
    while not delete_some(db, tea, 10, 10).is_last:
        pass
    if db.dialect.name == "sqlite":
        assert add_site(db, name="Cups", key="cups", now=NOW).id == tea
    else:
        add_sites(db, tea)

    assert existing_account(db, ann.id).site_ids == frozenset()
    assert existing_account(db, bob.id).site_ids is None
