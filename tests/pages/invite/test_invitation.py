"""The invitation: its dialog over the table, and its card on the visitor's page."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core.agents import add_agent
from core.chat.closing import close_due
from core.chat.invitations import invite
from core.chat.limits import INVITATION_EXPIRES_AFTER
from core.chat.queries import conversations_of_visit
from core.chat.states import ConversationState, OpenedBy, TemplateKind
from core.chat.templates import add_template, list_templates, mark_used
from core.database import reading, writing
from core.enrich.page_context import PageContext
from core.reasons import Reason
from core.tables import Agent, ChatTemplate, Conversation, Site, Visit
from core.visits.presence import CHATTING_FOR, ChatSource
from pages.live.columns import CHAT_ACTIONS, ELSEWHERE
from pages.parts.agent import COOKIE
from pages.parts.snapshots import PictureSnapshot, latest_picture
from tests.helpers.dashboard_chats import Chat, agent_invites, now, visitor_opens
from tests.helpers.page_reading import metrics, texts, visitors
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage, age_snapshots

HOSTILE = "![x](http://evil.example/a.png)<img src=//evil.example/b> **b** :smile: $x$"
VISIT = "visit1234567890ab"


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def agent(database: Database, cookies: dict[str, str]) -> Agent:
    """The agent of this browser."""
    with writing(database.engine) as db:
        agent = add_agent(db, "Ann", now(), "secret of Ann")
    cookies[COOKIE] = "secret of Ann"
    return agent


@pytest.fixture
def dialog(site: Site, open_page: OpenPage) -> Any:
    """Opens the dialog of a visit."""

    def dialog(visit_id: str = VISIT) -> AppTest:
        page = open_page()
        page.session_state["open dialog"] = ("inviting", (site.key, visit_id))
        return page.run()

    return dialog


# ---- the form


def test_form_begins_with_the_template_used_last(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    add_texts(database, site, "First", "Second", "Third")
    with writing(database.engine) as db:
        [used] = [each for each in invitations(database, site) if each.text == "First"]
        mark_used(db, used.site_id, used.id, now())
    page = dialog()
    assert not page.exception
    assert field(page).value == "First"
    assert template(page).options == ["First", "Third", "Second"]


def test_template_that_is_chosen_is_the_text(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    add_texts(database, site, "First\nof two lines", "Second")
    page = dialog()
    assert template(page).options == ["Second", "First of two lines"]
    template(page).select_index(1).run()
    assert field(page).value == "First\nof two lines"


def test_invitation_is_sent_and_its_template_is_the_last_used(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    add_texts(database, site, "First", "Second")
    page = dialog()
    field(page).set_value("First")
    button(page, "Send").click().run()
    assert not page.exception
    sent = conversation(database, site)
    assert (sent.state, sent.agent_id, sent.opened_by) == ("queued", agent.id, OpenedBy.AGENT)
    assert Chat(database.engine, site, sent.id).texts == ["First"]
    assert [each.text for each in invitations(database, site)] == ["First", "Second"]
    assert "Waiting for the visitor's browser" in texts(page)
    assert not page.text_area


def test_text_is_saved_as_a_template_once(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    page = dialog()
    field(page).set_value("Hello there!")
    button(page, "Save as template").click().run()
    assert "Saved." in texts(page)
    assert field(page).value == "Hello there!"
    button(page, "Save as template").click().run()
    assert "This text is a template already." in texts(page)
    assert [each.text for each in invitations(database, site)] == ["Hello there!"]


@pytest.mark.parametrize(
    "context, warns",
    [(PageContext.PURCHASED, True), (PageContext.CART, False), (PageContext.NONE, False)],
)
def test_form_warns_of_one_who_has_just_paid(
    database: Database,
    site: Site,
    agent: Agent,
    dialog: Any,
    context: PageContext,
    warns: bool,
) -> None:
    make_visit(database.engine, site, VISIT, now=now(), page_context=context.value)
    assert ("Has just paid." in texts(dialog())) == warns


def test_form_asks_for_the_name_in_place(database: Database, site: Site, dialog: Any) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    page = dialog()
    assert not page.text_area
    page.text_input(key="invitation name").set_value("Bea")
    [save] = [each for each in page.button if "invitation form" in str(each.proto.form_id)]
    save.click().run()
    assert not page.exception
    assert field(page).value == ""
    field(page).set_value("Hello!")
    button(page, "Send").click().run()
    assert conversation(database, site).state == ConversationState.QUEUED


def test_dialog_names_the_visitor_and_the_page(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(
        database.engine, site, VISIT, now=now(), attributes={"name": "Cleo"}, current_path="/cart"
    )
    assert "Cleo, on /cart" in texts(dialog())


# ---- refusals


def leave(database: Database, site: Site) -> None:
    long_ago = now() - timedelta(hours=1)
    with writing(database.engine) as db:
        db.execute(update(Visit).values(last_activity_at=long_ago, last_seen_at=long_ago))


def chat_elsewhere(database: Database, site: Site) -> None:
    with writing(database.engine) as db:
        db.execute(
            update(Visit).values(chat_source=ChatSource.THIRD_PARTY.value, chat_message_at=now())
        )


def be_invited(database: Database, site: Site) -> None:
    with writing(database.engine) as db:
        sent = invite(
            db, site_id=site.id or 0, visit_id=VISIT, agent_id=7, text="Me first", now=now()
        )
    assert isinstance(sent, Conversation)


def test_text_that_is_too_long_says_so_and_is_kept(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    page = dialog()
    field(page).set_value("x" * 2_012)
    button(page, "Send").click().run()
    assert "Not sent.  The text has 12 characters too many: 2,000 can be sent" in texts(page)
    assert conversations(database, site) == []
    assert len(field(page).value) == 2_012


@pytest.mark.parametrize(
    "happen, refusal",
    [
        (leave, Reason.NO_VISIT),
        (chat_elsewhere, Reason.CHATTING),
        (be_invited, Reason.INVITED),
        (lambda *_: None, Reason.EMPTY),
    ],
)
def test_what_happened_since_the_form_was_drawn_is_reported_in_plain_words(
    database: Database, site: Site, agent: Agent, dialog: Any, happen: Any, refusal: Reason
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    page = dialog()
    field(page).set_value(" \n " if refusal is Reason.EMPTY else "Hello!")
    happen(database, site)
    button(page, "Send").click().run()
    assert not page.exception
    assert f"Not sent.  {refusal.agent_text}" in texts(page)
    assert bool(page.text_area) == (refusal is Reason.EMPTY)
    sent = [Chat(database.engine, site, each.id).texts for each in conversations(database, site)]
    assert sent == ([["Me first"]] if refusal is Reason.INVITED else [])
    assert "Not sent." not in texts(page.run())


@pytest.mark.parametrize(
    "happen, words",
    [
        (leave, "The visitor has left: the visit is over."),
        (chat_elsewhere, "The visitor is in a chat of another product."),
    ],
)
def test_who_cannot_be_invited_has_no_form_but_the_reason(
    database: Database, site: Site, agent: Agent, dialog: Any, happen: Any, words: str
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    happen(database, site)
    page = dialog()
    assert words in texts(page)
    assert not page.text_area


def test_dialog_of_a_visit_that_is_deleted_says_so(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    assert "This visit is not known any more." in texts(dialog("gone"))


# ---- what becomes of it


def test_every_state_is_shown_with_its_time(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    chat = agent_invites(database.engine, site, VISIT, agent, "May I help?")
    page = dialog()
    assert steps(page) == ["Queued T", "Delivered –", "Shown –", "Accepted –"]
    assert "May I help?" in texts(page)
    for happens, words, times in [
        (chat.is_delivered, "The visitor's browser has the invitation.", 2),
        (chat.is_shown, "The visitor sees the invitation.", 3),
    ]:
        happens()
        page.run()
        assert words in texts(page)
        assert [step.endswith("T") for step in steps(page)].count(True) == times
    chat.is_accepted()
    page.run()
    assert "The visitor has accepted." in texts(page)
    assert steps(page) == ["Queued T", "Delivered T", "Shown T", "Accepted T"]
    assert button(page, "Open the chat")


def test_dialog_of_a_visitor_who_began_the_chat_shows_what_they_wrote_and_no_invitation(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    visitor_opens(database.engine, site, VISIT, "Do you ship to Lyon?")
    page = dialog()
    assert "Do you ship to Lyon?" in texts(page)
    assert not any('class="steps"' in each.proto.body for each in page.get("html"))
    assert button(page, "Open the chat")


def test_invitation_that_was_dismissed_says_so_and_can_be_repeated(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    chat = agent_invites(database.engine, site, VISIT, agent)
    chat.is_shown()
    chat.is_dismissed()
    page = dialog()
    assert "The visitor has dismissed the invitation." in texts(page)
    assert "May I help?" in texts(page)
    assert steps(page)[-1] == "Dismissed T"
    field(page).set_value("Really?")
    button(page, "Send").click().run()
    assert steps(page)[-1] == "Accepted –"
    assert len(conversations(database, site)) == 2


def test_invitation_that_nobody_answered_says_when_it_expired(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    chat = agent_invites(database.engine, site, VISIT, agent)
    assert "Without an answer it expires at" in texts(dialog())
    long_ago = now() - INVITATION_EXPIRES_AFTER
    with writing(database.engine) as db:
        db.execute(update(Conversation).values(created_at=long_ago))
        assert close_due(db, now()) == 1
    assert chat.row.state == ConversationState.EXPIRED
    page = dialog()
    assert "The invitation has expired: nobody answered it." in texts(page)
    assert steps(page) == ["Queued T", "Delivered –", "Shown –", "Expired T"]
    assert page.text_area


def test_who_left_a_message_is_led_to_it(
    database: Database, site: Site, agent: Agent, dialog: Any
) -> None:
    chat = visitor_opens(database.engine, site, VISIT, "Are you there?", is_attended=False)
    page = dialog()
    [link] = [each for each in page.get("page_link") if "message" in each.proto.label]
    assert f"conversation={chat.id}" in link.proto.query_string
    assert page.text_area


# ---- the table and the cards


def test_row_says_what_can_be_done(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    make_visit(database.engine, site, "nothing", now=now())
    make_visit(database.engine, site, "other", now=now())
    with writing(database.engine) as db:
        db.execute(
            update(Visit)
            .where(Visit.__table__.c.id == "other")  # pyright: ignore[reportAttributeAccessIssue]
            .values(chat_source=ChatSource.THIRD_PARTY.value, chat_message_at=now())
        )
    chats = {name: agent_invites(database.engine, site, name, agent) for name in "abcde"}
    for name in "bcd":
        chats[name].is_delivered()
    for name in "cde":
        chats[name].is_shown()
    chats["d"].is_accepted()
    chats["e"].is_dismissed()
    shown = visitors(open_page()).set_index("id")["conversation"].to_dict()
    assert shown == {
        "nothing": "",
        "other": ELSEWHERE,
        "a": "queued",
        "b": "delivered",
        "c": "shown",
        "d": "open",
        "e": "",
    }
    assert set(shown.values()) == set(CHAT_ACTIONS)


def test_row_cards_and_page_agree_on_who_is_chatting(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    make_visit(database.engine, site, "other", now=now())
    chat = agent_invites(database.engine, site, VISIT, agent)
    assert chatting(open_page, site) == ("0", "2", "Browsing", "Browsing: the page is in view")
    chat.is_accepted()
    assert chatting(open_page, site) == ("1", "1", "Chatting", "Chatting: the page is in view")
    silent = now() - CHATTING_FOR
    with writing(database.engine) as db:
        db.execute(update(Visit).values(chat_message_at=silent))
    assert chatting(open_page, site) == ("0", "2", "Browsing", "Browsing: the page is in view")


def chatting(open_page: OpenPage, site: Site) -> tuple[str, str, str, str]:
    """The two cards, the row's status, and the state on the visitor's page."""
    age_snapshots()
    page = open_page()
    cards, row = metrics(page), visitors(page).set_index("id").loc[VISIT]
    shown = texts(open_page("visitor", site=site.key, visit=VISIT))
    [state] = re.findall(r"(?:Chatting|Browsing): the page is in view", shown)
    return cards["Chatting"], cards["Browsing"], str(row["status"]), state


def test_picture_is_new_at_once_when_a_chat_has_changed(
    database: Database, site: Site, agent: Agent
) -> None:
    at = now()
    chat = agent_invites(database.engine, site, VISIT, agent)
    invited = latest_picture(site, at)
    assert row_of(invited)["conversation"] == "queued"
    chat.is_shown()
    assert row_of(latest_picture(site, at))["conversation"] == "queued"
    assert row_of(latest_picture(site, at, invited.revision + 1))["conversation"] == "shown"


def row_of(look: PictureSnapshot) -> Any:
    assert look.picture is not None
    return look.picture.visitors.iloc[0]


# ---- the visitor's page


def test_visitor_is_invited_from_their_page(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    make_visit(database.engine, site, VISIT, now=now())
    page = open_page("visitor", site=site.key, visit=VISIT)
    field(page).set_value("Hello!")
    button(page, "Send").click().run()
    assert not page.exception
    assert conversation(database, site).state == ConversationState.QUEUED
    assert "Waiting for the visitor's browser" in texts(page)


def test_open_conversation_goes_on_on_the_visitor_s_page(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    chat = agent_invites(database.engine, site, VISIT, agent)
    chat.is_accepted()
    page = open_page("visitor", site=site.key, visit=VISIT)
    parts = [
        json.loads(each.proto.json)
        for each in page.get("bidi_component")
        if each.proto.component_name == "visitor_monitor_chat"
    ]
    [part] = [each for each in parts if each["part"] == "conversation"]
    assert part["chosen"] == f"tea {chat.id}"
    assert not page.text_area


def test_past_conversations_are_on_the_visitor_s_page_with_all_messages(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    chat = agent_invites(database.engine, site, VISIT, agent, "May I help?")
    chat.is_accepted()
    chat.says(HOSTILE)
    chat.agent_says(agent, "I see.")
    chat.ends()
    page = open_page("visitor", site=site.key, visit=VISIT)
    assert not page.exception
    [past] = [each for each in page.expander if "3 messages" in each.label]
    assert past.label.endswith("Ended by the visitor · 3 messages")
    shown = texts(page)
    assert shown.index("May I help?") < shown.index(HOSTILE) < shown.index("I see.")
    assert not any("<img" in each.proto.body for each in page.get("html"))
    assert page.text_area


def test_words_of_everybody_are_literal(
    database: Database, site: Site, open_page: OpenPage, cookies: dict[str, str], dialog: Any
) -> None:
    with writing(database.engine) as db:
        agent = add_agent(db, HOSTILE[:40], now(), "its secret")
    cookies[COOKIE] = "its secret"
    add_texts(database, site, HOSTILE)
    agent_invites(
        database.engine,
        site,
        VISIT,
        agent,
        HOSTILE,
        attributes={"name": HOSTILE},
        current_path=f"/{HOSTILE}",
    )
    for page in (dialog(), open_page("visitor", site=site.key, visit=VISIT)):
        assert not page.exception
        assert HOSTILE in texts(page)
        assert not any("<img" in each.proto.body for each in page.get("html"))
        parsed = [*page.markdown, *page.caption]
        assert not any("evil.example" in each.value for each in parsed)


# ---- helps


def add_texts(database: Database, site: Site, *texts: str) -> None:
    """Templates of invitations, the last one the newest."""
    assert site.id is not None
    began = now() - timedelta(minutes=len(texts))
    with writing(database.engine) as db:
        for position, text in enumerate(texts):
            at = began + timedelta(minutes=position)
            add_template(db, site.id, TemplateKind.INVITATION, text, at)


def invitations(database: Database, site: Site) -> list[ChatTemplate]:
    assert site.id is not None
    with reading(database.engine) as db:
        return list_templates(db, site.id, TemplateKind.INVITATION)


def conversations(database: Database, site: Site) -> list[Conversation]:
    assert site.id is not None
    with reading(database.engine) as db:
        return list(conversations_of_visit(db, site.id, VISIT))


def conversation(database: Database, site: Site) -> Conversation:
    [found] = conversations(database, site)
    return found


def field(page: AppTest) -> Any:
    """The text of the invitation."""
    return next(area for area in page.text_area if area.label == "Invitation")


def template(page: AppTest) -> Any:
    return next(box for box in page.selectbox if box.label == "Template")


def button(page: AppTest, label: str) -> Any:
    return next(each for each in page.button if each.label == label)


def steps(page: AppTest) -> list[str]:
    """The states of the invitation; T stands for a time."""
    [body] = [each.proto.body for each in page.get("html") if 'class="steps"' in each.proto.body]
    items = re.findall(r"<li[^>]*><span>(.*?)</span> <time>(.*?)</time>", body)
    return [f"{word} {'T' if ':' in time else time}" for word, time in items]
