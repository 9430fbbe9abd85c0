"""The chat from the invitation to the end, as the visitor sees it and as the database holds it."""

import time

import pytest
from playwright.sync_api import expect

from core.chat.limits import CHAT_ENDS_AFTER, INVITATION_EXPIRES_AFTER
from tests.helpers.dialog import (
    Dialog,
    chatting,
    invited,
    say,
    send_beacon,
    texts,
    until_beacon_brings,
    until_offered,
)


def test_nothing_of_the_chat_is_loaded_before_there_is_something_to_say(shop, page, agent):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    send_beacon(page)
    shop.until_event("p")
    assert not any("chat" in passage.path for passage in shop.passages())
    assert page.locator("visitor-monitor-chat").count() == 0


def test_invitation_comes_with_a_beacon_and_is_reported_as_shown(shop, page, agent):
    dialog = invited(shop, page, agent, "Can I help\nwith the teas?")
    expect(dialog.card).to_have_attribute("aria-label", "Ann")
    dialog.until_lines("Can I help\nwith the teas?")
    row = shop.until(lambda: _row(shop, "shown"))
    assert row["created_at"] <= row["delivered_at"] <= row["shown_at"]
    assert row["accepted_at"] is None


def test_invitation_is_shown_only_on_a_visible_page(shop, agent, tabs):
    front = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop)
    tabs.open("about:blank")
    shop.until_event("h")
    time.sleep(1)
    assert agent.conversation(shop).state in ("queued", "delivered")
    tabs.show(front)
    shop.until(lambda: agent.conversation(shop).state == "shown")


def test_page_gets_the_event_of_the_invitation_once(shop, page, agent):
    shop.head = """<script>
        window.visitorMonitor = window.visitorMonitor || function () {
            (visitorMonitor.q = visitorMonitor.q || []).push(arguments) };
        window.offers = [];
        visitorMonitor('on', 'invite', offer => { offers.push(offer); throw Error('page') });
    </script>"""
    dialog = invited(shop, page, agent, "Hello")
    shop.until(lambda: _row(shop, "shown"))
    send_beacon(page)
    send_beacon(page)
    [offer] = page.evaluate("offers")
    assert offer == {"from": "Ann", "text": "Hello"}, "and no token"
    dialog.until_visible()


def test_accepting_opens_the_conversation_and_focuses_the_field(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    assert conversation.accepted_at is not None
    expect(dialog.field).to_be_focused()
    shop.until(lambda: shop.visit()["chat_source"] == "built_in")


def test_both_talk_in_order(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    dialog.say("I look for a green tea")
    shop.until(lambda: texts(shop) == ["Can I help?", "I look for a green tea"])
    agent.say(conversation, "For the morning?")
    dialog.until_lines("Can I help?", "I look for a green tea", "For the morning?")
    dialog.say("Yes")
    agent.say(conversation, "Hillside Green")
    stored = shop.until(lambda: len(texts(shop)) == 5 and texts(shop))
    dialog.until_lines(*stored)


def test_send_button_sends_and_shift_enter_is_a_new_line(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.field.press_sequentially("one")
    dialog.field.press("Shift+Enter")
    dialog.field.press_sequentially("two")
    dialog.button("Send").click()
    shop.until(lambda: texts(shop)[1:] == ["one\ntwo"])
    expect(dialog.field).to_have_value("")
    expect(dialog.field).to_be_focused()


def test_empty_message_is_not_sent(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.say("   ")
    dialog.say("word")
    shop.until(lambda: texts(shop)[1:] == ["word"])
    assert len(shop.chats("send")) == 1


def test_enter_of_an_input_method_does_not_send(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "お", "selectionStart": 1, "selectionEnd": 1})
    key = {"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", key)
    session.send("Input.insertText", {"text": "お茶"})
    page.wait_for_timeout(300)
    assert shop.chats("send") == []
    dialog.field.press("Enter")
    shop.until(lambda: texts(shop)[1:] == ["お茶"])


def test_typing_is_shown_to_the_visitor_and_ends(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    agent.say(conversation, "Here I am")
    dialog.until_lines("Can I help?", "Here I am")
    dialog.until_note("")
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    dialog.until_note("")


def test_typing_is_sent_to_the_agent_every_three_seconds_at_most(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    begun = time.monotonic()
    for letter in "a long word here":
        dialog.field.press(letter)
        page.wait_for_timeout(250)
    most = 1 + int((time.monotonic() - begun) / 3)
    assert 1 <= len(shop.chats("typing")) <= most
    assert agent.conversation(shop).visitor_typing_at is not None


def test_reading_is_sent_while_the_conversation_is_open(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    shop.until(lambda: agent.conversation(shop).visitor_read == 1)
    agent.say(conversation, "two")
    shop.until(lambda: agent.conversation(shop).visitor_read == 2)
    dialog.button("Minimise").click()
    agent.say(conversation, "three")
    dialog.until_pill("Ann 1 new")
    page.wait_for_timeout(600)
    assert agent.conversation(shop).visitor_read == 2
    dialog.pill.click()
    shop.until(lambda: agent.conversation(shop).visitor_read == 3)


def test_declined_invitation_is_gone_and_does_not_come_back(shop, page, agent):
    dialog = invited(shop, page, agent)
    dialog.button("No, thanks").click()
    dialog.until_gone()
    row = shop.until(lambda: _row(shop, "dismissed"))
    assert row["closed_by"] == "visitor"
    for _ in range(3):
        send_beacon(page)
        page.wait_for_timeout(200)
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    page.wait_for_timeout(500)
    dialog.until_gone()
    assert page.evaluate("localStorage['vm-chat']") is None


def test_another_invitation_may_follow_one_that_was_declined(shop, page, agent):
    dialog = invited(shop, page, agent)
    dialog.button("No, thanks").click()
    shop.until(lambda: _row(shop, "dismissed"))
    agent.invite(shop, "And now?")
    until_offered(shop, page, dialog)
    dialog.until_lines("And now?")


def test_invitation_that_is_taken_back_disappears(shop, page, agent):
    dialog = invited(shop, page, agent)
    shop.until(lambda: _row(shop, "shown"))
    agent.end(agent.conversation(shop))
    dialog.until_gone()
    assert _row(shop, "expired")


def test_invitation_that_nobody_answers_disappears(shop, page, agent):
    dialog = invited(shop, page, agent)
    shop.until(lambda: _row(shop, "shown"))
    agent.backdate(agent.conversation(shop), INVITATION_EXPIRES_AFTER)
    dialog.until_gone()
    expired = _row(shop, "expired")
    assert expired and expired["closed_by"] == "silence"
    page.wait_for_function("localStorage['vm-chat'] === undefined")


def test_silence_ends_it(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.backdate(conversation, CHAT_ENDS_AFTER)
    dialog.until_note("This chat has ended.")
    ended = _row(shop, "ended")
    assert ended and ended["closed_by"] == "silence"


def test_agent_ends_it(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    expect(dialog.field).to_be_hidden()
    expect(dialog.button("Close")).to_be_focused()
    shop.until(lambda: page.evaluate("localStorage['vm-chat']") is None)
    dialog.button("Close").click()
    dialog.until_gone()


def test_visitor_ends_it_after_a_question(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.button("End").click()
    dialog.until_note("End this chat?")
    expect(dialog.button("Keep chatting")).to_be_focused()
    dialog.button("Keep chatting").click()
    expect(dialog.field).to_be_focused()
    dialog.button("End").click()
    dialog.button("End chat").click()
    dialog.until_note("This chat has ended.")
    row = shop.until(lambda: _row(shop, "ended"))
    assert row["closed_by"] == "visitor"
    shop.until(lambda: shop.visit()["chat_source"] == "")


def test_colleague_takes_over(shop, page, agent, collector):
    dialog, conversation = chatting(shop, page, agent)
    colleague = type(agent)(collector.database, "Bob")
    colleague.take(conversation)
    expect(dialog.card).to_have_attribute("aria-label", "Bob")
    colleague.say(conversation, "Bob here")
    dialog.until_lines("Can I help?", "Bob here")
    expect(dialog.element.locator(".name")).to_have_text(["Ann "])
    colleague.close()


@pytest.mark.parametrize("path", ["/p2", "/p1"], ids=["next", "reload"])
def test_next_page_shows_it_as_it_was(shop, page, agent, path):
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    dialog.field.press_sequentially("a draft")
    page.goto(shop.url(path))
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    dialog.until_visible()
    expect(dialog.field).to_have_value("a draft")
    expect(dialog.field).not_to_be_focused()
    dialog.button("Minimise").click()
    page.goto(shop.url(path))
    dialog.until_pill("Ann")
    expect(dialog.field).to_be_hidden()


def test_draft_is_gone_with_its_conversation(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    dialog.field.press_sequentially("for Ann alone")
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    agent.invite(shop, "And now?")
    until_beacon_brings(shop, page, lambda: _row(shop, "shown"))
    dialog.until_lines("And now?")
    dialog.button("Chat").click()
    expect(dialog.field).to_have_value("")
    dialog.field.press_sequentially("for the second")
    shop.until(lambda: _row(shop, "open"))
    page.goto(shop.url("/p2"))
    expect(dialog.field).to_have_value("for the second")


def test_draft_without_a_conversation_goes_into_the_first(shop, page, agent):
    agent.show_button(shop)
    page.goto(shop.url("/p1"))
    dialog = Dialog(page)
    until_offered(shop, page, dialog)
    dialog.pill.click()
    dialog.field.press_sequentially("a question")
    agent.invite(shop)
    until_beacon_brings(shop, page, lambda: _row(shop, "shown"))
    dialog.until_lines("Can I help?")
    expect(dialog.field).to_have_value("a question")


def test_ended_conversation_is_not_on_the_next_page(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    # An answer to `read` may say so first; the conversation is kept until the stream has brought all of it.
    page.wait_for_function("!localStorage['vm-chat']")
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    page.wait_for_timeout(500)
    Dialog(page).until_gone()


def _row(shop, state):
    rows = shop.rows("SELECT * FROM conversation WHERE site_id = :site ORDER BY created_at DESC")
    return next((row for row in rows if row["state"] == state), None)
