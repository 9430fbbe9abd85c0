"""A left message is answered by the site's mail server, as the agent sees it."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from collector.app import system_clock
from collector.metrics import Metrics, process_numbers
from collector.notices.sender import SendingProcess
from core.database import writing
from core.mail.server import set_server
from tests.helpers.agent_browsers import (  # noqa: F401
    OpenChats,
    agent,
    dashboard,
    database,
    engine,
    log,
    new_context,
    open_chats,
    open_conversation,
    site,
    visit,
)
from tests.helpers.dashboard_chats import visitor_opens
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.notice_receivers import mail_receiver

pytestmark = pytest.mark.timeout(300)


def test_answer_by_mail_says_how_far_it_has_come_and_ticks_off(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    sender = SendingProcess(engine, Metrics(process_numbers(1), 0), "", system_clock)
    told = {"name": "Rae", "email": "rae@example.org"}
    with mail_receiver() as receiver:
        with writing(engine) as db:
            set_server(db, site.id, server_fields(receiver.port))
        visitor_opens(engine, site, visit, "Call me", is_attended=False, attributes=told)
        page = open_chats(agent)
        open_conversation(page, "Rae")
        expect(page.get_by_role("link", name="Answer")).to_be_visible()

        answer = page.get_by_role("textbox", name="Answer by e-mail")
        answer.fill("We call you")
        answer.press("Enter")
        answer.press_sequentially("tomorrow.")
        answer.press("Control+Enter")
        expect(log(page)).to_contain_text("By e-mail, on its way")

        receiver.refused_recipient = "550 no such user"
        sender.send_due()
        expect(log(page)).to_contain_text("Not sent by e-mail. The mail server says that no mail")
        receiver.refused_recipient = ""
        page.get_by_role("button", name="Try again").click()
        expect(log(page)).to_contain_text("By e-mail, on its way")
        sender.send_due()
        expect(log(page)).to_contain_text("Sent by e-mail")
        expect(page.get_by_text("Done by Ann")).to_be_visible()
        expect(answer).to_be_visible()  # for another one

    assert receiver.texts == ["We call you\ntomorrow.\n\n> Call me\n"]
