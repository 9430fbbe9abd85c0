"""Deleting a site: gone at once for everybody who asks, its rows bite by bite, its key free at the end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from core.chat.blocks import block
from core.chat.closing import close_due
from core.chat.left_messages import drop_left_messages
from core.chat.notes import add_note
from core.chat.queries import invitations, newest_revision, open_conversations
from core.chat.rules import delete_rule, list_rules
from core.chat.states import OpenedBy, TemplateKind
from core.chat.templates import (
    ChatSettingsError,
    add_template,
    change_template,
    delete_template,
    list_templates,
)
from core.database import insert_into
from core.reasons import Reason
from core.removal import delete_some, removals, remove_site
from core.sites import SiteError, add_site, change_site, find_site, has_site, list_sites
from core.tables import Table
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    add_rule,
    add_visit,
    ask,
    change_rule,
    invite,
    invited,
    open_it,
    opened,
    reason_of,
    stored,
)
from tests.helpers.stored_rows import store_views

SITE_TABLES = [table for table in Table.metadata.tables.values() if "site_id" in table.c]


@pytest.fixture
def tea(db) -> int:
    """A site with visits of every kind, and another one beside it."""
    for key in ("tea", "cups"):
        fill(db, add_site(db, name=f"{key.title()} shop", key=key, now=NOW).id)
    return id_of(db, "tea")


def id_of(db, key: str) -> Any:
    site = find_site(db, key)
    assert site is not None
    return site.id


_OF_NO_CHAT = {"visit_id": "v", "conversation_id": "", "happened_at": NOW, "revision": 1}
_FIVE_MINUTES = {
    "minutes": 5,
    "with_words": False,
    "is_enabled": True,
    "fault": "",
    "created_at": NOW,
}
_NO_LOGIN = {"username": "", "password": "", "from_address": "a@h", "from_name": "", "fault": ""}
_ASKED = {"asked_at": NOW, "attempts": 0, "fault": ""}
_NOT_TRIED = {"attempts": 0, "is_given_up": False}


def fill(db, site_id: Any) -> None:
    """At least one row of the site in every table."""
    for number in range(3):
        add_visit(db, f"visit{number}", site_id)
        view = {"site_id": site_id, "visit_id": f"visit{number}", "tab": 1, "path": "/"}
        store_views(db, [{**view, "number": at, "viewed_at": NOW} for at in range(4)])
    chat = opened(db, "visit0", site_id=site_id)
    add_note(db, chat, agent_id=1, client_id="note00000001", text="Rude", now=NOW)
    invited(db, "visit1", site_id=site_id)
    block(db, open_it(db, "visit2", site_id=site_id, is_attended=False), 1, NOW)
    add_template(db, site_id, TemplateKind.REPLY, "Hello", NOW)
    add_rule(db, site_id, NOW, trigger="seconds", threshold=9, text="Hello")
    values = {"site_id": site_id, "starts_at": NOW, "first_seen_at": NOW, "last_seen_at": NOW}
    for name, more in {
        "visit_count": {"visits": 3},
        "drop_count": {"reason": "bot", "hits": 3},
        "site_origin": {"host": "tea.example", "hits": 3},
        "chat_look": {"hours": [], "words": {}},
        "site_change": {"revision": 3},
        "trend_site": {
            "counted_until": NOW,
            "counted_before": NOW,
            "thinned_day": 0,
            "thinned_until": NOW,
            "time_zone": "UTC",
            "chunked_until": NOW,
        },
        "visit_chunk": {
            "since": 0,
            **dict.fromkeys(("visits", "views", "first_began", "last_began"), 3),
            **dict.fromkeys(("of_visits", "of_views"), b"columns"),
        },
        "trend_count": {
            "day": 20261122,
            "dimension": "page",
            "value": "/",
            **dict.fromkeys(("visits", "page_views", "one_page_visits", "seconds"), 3),
        },
        "agent_site": {"agent_id": 3},
        "notice": {"id": "n", "kind": "named", "minutes": 0, **_OF_NO_CHAT},
        "notice_address": {"id": "a", "url": "json://x", "kinds": [], **_FIVE_MINUTES},
        "notice_delivery": {"notice_id": "n", "address_id": "a", "due_at": NOW, **_NOT_TRIED},
        "mail_server": {"host": "h", "port": 25, "security": "tls", **_NO_LOGIN},
        "mail_answer": {"conversation_id": "c", "number": 1, "message_id": "<m@h>", **_ASKED},
        "visit_memory": {"visit": 1, "memory": "{}"},
        "visit_tab": {"visit": 1, "tab": 1, "id": "tab1"},
        "visit_change_row": {
            "visit": 1,
            "number": 1,
            "kind": 1,
            "changed_after": 0,
            "page": 0,
            "told": "{}",
        },
    }.items():
        table = Table.metadata.tables[name]
        row = {column: value for column, value in (values | more).items() if column in table.c}
        db.execute(insert_into(db, table).values(**row).on_conflict_do_nothing())


def counts(db, site_id: int) -> dict[str, int]:
    return {
        table.name: db.execute(
            select(func.count()).select_from(table).where(table.c.site_id == site_id)
        ).scalar_one()
        for table in SITE_TABLES
    }


def end_chats(db, site_id: int) -> None:
    """As housekeeping does."""
    close_due(db, NOW)
    drop_left_messages(db, site_id, NOW)


def delete_all(db, site_id: int, visits: int = 2, rows: int = 2) -> int:
    """End the chats and delete everything in bites of so many; returns how many bites it took."""
    end_chats(db, site_id)
    bites = 1
    while not delete_some(db, site_id, visits, rows).is_last:
        bites += 1
        assert bites < 100
    return bites


def test_removed_site_is_found_nowhere(db, tea):
    remove_site(db, "tea", "Tea shop", NOW)

    assert [site.key for site in list_sites(db)] == ["cups"]
    assert find_site(db, "tea") is None
    assert not has_site(db, tea)
    with pytest.raises(SiteError, match="no site with the short name 'tea'"):
        change_site(db, "tea", name="x")
    assert [(each.site.name, each.visits_left) for each in removals(db)] == [("Tea shop", 3)]


@pytest.mark.parametrize("name", ["", "tea", "tea shop", "Cups shop", "Tea shop!"])
def test_site_is_removed_only_by_its_own_name(db, tea, name):
    with pytest.raises(SiteError, match="This is not the site's name: write 'Tea shop'"):
        remove_site(db, "tea", name, NOW)

    assert has_site(db, tea)


def test_blanks_around_the_name_do_no_harm(db, tea):
    remove_site(db, "tea", "  Tea shop\n", NOW)

    assert not has_site(db, tea)


def test_every_row_of_the_site_goes_and_none_of_another(db, tea):
    before = counts(db, id_of(db, "cups"))
    assert all(before.values()), before
    remove_site(db, "tea", "Tea shop", NOW)

    delete_all(db, tea)

    assert not any(counts(db, tea).values()), counts(db, tea)
    assert counts(db, id_of(db, "cups")) == before
    assert removals(db) == []


def test_bites_are_as_small_as_they_are_asked_for(db, tea):
    remove_site(db, "tea", "Tea shop", NOW)
    end_chats(db, tea)
    before = counts(db, tea)

    assert not delete_some(db, tea, 1, 1).is_last

    assert counts(db, tea)["visit"] == before["visit"] - 1
    assert counts(db, tea)["page_view_row"] == before["page_view_row"] - 4
    assert removals(db)[0].visits_left == 2
    assert delete_all(db, tea, 1, 1) > delete_bites_of(before)


def delete_bites_of(before: dict[str, int]) -> int:
    """The rows that no visit takes with it: each is a bite of its own."""
    own = ("chat_template", "chat_rule", "visit_count", "drop_count", "site_origin", "site_change")
    return sum(before[name] for name in own)


def test_key_is_taken_until_the_last_row_is_gone(db, tea):
    remove_site(db, "tea", "Tea shop", NOW)
    with pytest.raises(SiteError, match="'tea' belongs to a site that is still being deleted"):
        add_site(db, name="New", key="tea", now=NOW)
    assert add_site(db, name="Tea", now=NOW).key == "tea-2"

    before = counts(db, tea)
    delete_all(db, tea)

    again = add_site(db, name="New", key="tea", now=NOW)
    assert counts(db, again.id or 0) == dict.fromkeys(before, 0) | {"site_change": 1}


def test_next_bite_begins_behind_the_last_one(db, tea):
    remove_site(db, "tea", "Tea shop", NOW)
    end_chats(db, tea)

    assert delete_some(db, tea, 1, 9, "visit0").last_visit == "visit1"
    assert delete_some(db, tea, 9, 9, "visit1").last_visit == "visit2"
    assert counts(db, tea)["visit"] == 1
    for _ in range(99):
        if delete_some(db, tea, 9, 9, "visit2").is_last:
            break
    assert not any(counts(db, tea).values()), counts(db, tea)


def test_however_many_chats_there_are_removing_changes_none_of_them(db, tea):
    before = newest_revision(db)

    remove_site(db, "tea", "Tea shop", NOW)

    assert newest_revision(db) == before


def test_nothing_waits_for_an_agent_at_once_and_then_the_chats_are_over(db, tea):
    cups = id_of(db, "cups")
    remove_site(db, "tea", "Tea shop", NOW)

    states = {(each.site_id, each.state) for each in [*open_conversations(db), *invitations(db)]}
    assert states == {(cups, "open"), (cups, "left"), (cups, "queued")}
    end_chats(db, tea)
    assert all_states(db, tea) == [("ended", "visit"), ("expired", "visit"), ("left", "")]
    assert undone_left(db, tea) == 0


def all_states(db, site_id: int) -> list[tuple[str, str]]:
    table = Table.metadata.tables["conversation"]
    rows = db.execute(select(table.c.state, table.c.closed_by).where(table.c.site_id == site_id))
    return sorted((state, by) for state, by in rows)


def undone_left(db, site_id: int) -> int:
    table = Table.metadata.tables["conversation"]
    undone = (table.c.site_id == site_id, table.c.state == "left", table.c.done_at.is_(None))
    return db.execute(select(func.count()).where(*undone)).scalar_one()


def test_nobody_is_invited_and_nobody_opens_or_goes_on_with_a_chat(db, tea):
    add_visit(db, "fresh", tea)
    chat = opened(db, "fresh", site_id=tea)
    remove_site(db, "tea", "Tea shop", NOW)

    add_visit(db, "late", tea)
    invitation = invite(db, site_id=tea, visit_id="late", agent_id=1, text="Hi", now=NOW)
    assert reason_of(invitation) is Reason.NO_VISIT
    assert reason_of(open_it(db, "late", site_id=tea)) is Reason.NO_VISIT
    assert reason_of(ask(db, chat)) is Reason.OVER


@pytest.mark.parametrize("is_left_undone", [True, False])
def test_nothing_is_deleted_before_agents_lists_have_dropped_the_chats(db, tea, is_left_undone):
    remove_site(db, "tea", "Tea shop", NOW)
    if is_left_undone:
        close_due(db, NOW)
    else:
        drop_left_messages(db, tea, NOW)
    before = counts(db, tea)

    assert delete_some(db, tea, 9, 9) == (False, "")

    assert counts(db, tea) == before


@pytest.mark.parametrize("is_all_gone", [False, True])
def test_form_that_is_still_drawn_stores_nothing_for_a_deleted_site(db, tea, is_all_gone):
    """SQLite gives the id again: the next site would inherit it."""
    rule = list_rules(db, tea)[0]
    template = list_templates(db, tea, TemplateKind.REPLY)[0]
    remove_site(db, "tea", "Tea shop", NOW)
    if is_all_gone:
        delete_all(db, tea)
    before = counts(db, tea)

    for change in (
        lambda: add_rule(db, tea, NOW, trigger="exit", text="Wait!"),
        lambda: change_rule(db, tea, rule.id, text="Wait!"),
        lambda: delete_rule(db, tea, rule.id),
        lambda: add_template(db, tea, TemplateKind.REPLY, "Wait!", NOW),
        lambda: change_template(db, tea, template.id, "Wait!"),
        lambda: delete_template(db, tea, template.id),
    ):
        with pytest.raises(ChatSettingsError, match="This site was deleted"):
            change()

    assert counts(db, tea) == before


def test_rules_and_chats_of_another_site_go_on(db, tea):
    chat = opened(db, "visit2", site_id=id_of(db, "cups"), now=NOW + MINUTE)
    remove_site(db, "tea", "Tea shop", NOW + MINUTE)

    assert stored(db, chat).state == "open"
    assert len(list_rules(db, id_of(db, "cups"))) == 1
    assert chat.opened_by == OpenedBy.AGENT
