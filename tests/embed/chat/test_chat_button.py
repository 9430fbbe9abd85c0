"""What a site may set: a chat button, leaving a message, a text for visitors who are about to leave."""

from playwright.sync_api import expect

from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.dialog import Dialog, chatting, send_beacon, until_offered
from tests.helpers.network_gate import lose

WAIT = "Thank you. Somebody will be with you in a moment."


def test_there_is_no_button_unless_the_site_wants_one(shop, page, agent):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    send_beacon(page)
    shop.until_event("p")
    assert page.locator("visitor-monitor-chat").count() == 0


def test_button_opens_a_chat(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.until_pill("Chat")
    dialog.pill.click()
    expect(dialog.field).to_be_focused()
    dialog.until_note("How can we help?")
    dialog.say("Do you have white tea?")
    [row] = shop.until(lambda: _rows(shop))
    assert (row["state"], row["opened_by"]) == ("open", "visitor")
    conversation = agent.conversation(shop)
    agent.say(conversation, "We do")
    dialog.until_lines("Do you have white tea?", "We do")
    expect(dialog.card).to_have_attribute("aria-label", "Ann")
    dialog.say("Good")
    dialog.until_lines("Do you have white tea?", "We do", "Good")
    assert shop.visit()["chat_source"] == "built_in"


def test_button_goes_when_the_site_wants_none_any_more(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.until_pill("Chat")
    agent.hide_button(shop)
    shop.until(lambda: send_beacon(page) or not dialog.pill.is_visible())


def test_opened_twice_by_a_lost_answer_is_one_conversation(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    shop.set_chat_fault(_lose_first_open())
    dialog.say("one")
    dialog.say("two")
    shop.until(lambda: [row["text"] for row in _messages(shop)] == ["one", "two"])
    assert len(_rows(shop)) == 1
    dialog.until_note(WAIT)
    dialog.until_lines("one", "two")


def test_message_that_opens_survives_the_next_page(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    shop.set_chat_fault(lambda passage, forward: None)
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    page.goto(shop.url("/p2"))
    shop.set_chat_fault(None)
    shop.until(lambda: send_beacon(page) or [row["text"] for row in _messages(shop)] == ["one"])
    dialog.until_lines("one")


def test_chat_whose_opening_was_answered_too_late_is_on_the_next_page(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    shop.set_chat_fault(lose)
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    assert [row["state"] for row in _rows(shop)] == ["open"]
    page.goto(shop.url("/p2"))
    shop.set_chat_fault(None)
    dialog.until_lines("one")
    dialog.until_note(WAIT)
    conversation = agent.conversation(shop)
    shop.until(lambda: page.evaluate("localStorage['vm-chat']") == conversation.token)
    assert len(_rows(shop)) == 1


def test_message_may_be_left_while_nobody_is_here(shop, page, agent):
    agent.leave()
    dialog = _with_button(shop, page, agent)
    dialog.until_pill("Leave a message")
    dialog.pill.click()
    dialog.until_note("Nobody is here right now. Leave a message, and say how to reach you.")
    dialog.say("Please write to ada@shop.example")
    dialog.until_note("Thank you. Your message has arrived.")
    [row] = _rows(shop)
    assert (row["state"], row["opened_by"]) == ("left", "visitor")
    assert [row["text"] for row in _messages(shop)] == ["Please write to ada@shop.example"]
    assert shop.visit()["chat_source"] == ""
    dialog.button("Close").click()
    dialog.until_pill("Leave a message")
    assert page.evaluate("localStorage['vm-chat']") is None
    assert page.evaluate("sessionStorage['vm-chat']") is None


def test_button_follows_whether_somebody_is_here(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.until_pill("Chat")
    agent.leave()
    shop.until(lambda: _beaten(page) or dialog.pill.inner_text() == "Leave a message")
    another = AgentAtWork(shop.database)
    shop.until(lambda: _beaten(page) or dialog.pill.inner_text() == "Chat")
    another.close()


def test_button_is_there_again_after_a_chat(shop, page, agent):
    agent.show_button(shop)
    dialog, conversation = chatting(shop, page, agent)
    agent.end(conversation)
    dialog.button("Close").click()
    shop.until(lambda: _beaten(page) or dialog.pill.is_visible())
    dialog.until_pill("Chat")


def test_invitation_reaches_who_is_just_writing(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    dialog.field.press_sequentially("I wanted to")
    agent.invite(shop, "Can I help?")
    shop.until(lambda: _beaten(page) or dialog.lines.count() == 1)
    expect(dialog.field).to_be_focused()
    dialog.say(" ask something")
    dialog.until_lines("Can I help?", "I wanted to ask something")
    shop.until(lambda: [row["state"] for row in _rows(shop)] == ["open"])


def test_leaving_at_the_top_invites(shop, page, agent):
    agent.add_exit_rule(shop, "Before you go?")
    dialog = _with_rule(shop, page)
    _leave(page)
    dialog.until_lines("Before you go?")
    [row] = _rows(shop)
    assert row["opened_by"] == "rule"
    shop.until(lambda: [row["state"] for row in _rows(shop)] == ["shown"])
    dialog.button("No, thanks").click()
    shop.until(lambda: [row["state"] for row in _rows(shop)] == ["dismissed"])
    _leave(page)
    page.wait_for_timeout(500)
    dialog.until_gone()


def test_leaving_elsewhere_or_by_touch_does_not(shop, page, agent):
    agent.add_exit_rule(shop, "Before you go?")
    dialog = _with_rule(shop, page)
    page.mouse.move(300, 300)
    page.mouse.move(-5, 300)
    page.mouse.move(300, 300)
    page.evaluate(
        """dispatchEvent(new PointerEvent('pointerout',
            {pointerType: 'touch', clientY: -1, relatedTarget: null}))"""
    )
    page.wait_for_timeout(500)
    assert shop.chats() == []
    dialog.until_gone()


def test_rule_that_may_not_invite_any_more_shows_nothing(shop, page, agent):
    agent.add_exit_rule(shop, "Before you go?")
    dialog = _with_rule(shop, page)
    agent.leave()
    page.wait_for_timeout(2_500)
    _leave(page)
    shop.until(lambda: [p.status for p in shop.chats("open")] == [204])
    page.wait_for_timeout(300)
    dialog.until_gone()


def _with_button(shop, page, agent):
    agent.show_button(shop)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    dialog = Dialog(page)
    until_offered(shop, page, dialog)
    return dialog


def _with_rule(shop, page):
    """The page, once the collector has sent it the rule."""
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: _beaten(page) or any("-chat" in p.path for p in _files(shop)))
    page.wait_for_timeout(300)
    return Dialog(page)


def _leave(page):
    page.mouse.move(300, 300)
    page.mouse.move(300, 5)
    page.mouse.move(300, -5)


def _beaten(page):
    send_beacon(page)
    page.wait_for_timeout(200)


def _files(shop):
    return [p for p in shop.passages() if p.path.startswith("/embed/")]


def _lose_first_open():
    lost = []

    def choose(passage, forward):
        reply = forward(passage)
        if passage.chat == "open" and not lost:
            lost.append(passage)
            return None
        return reply

    return choose


def _rows(shop):
    return shop.rows("SELECT * FROM conversation WHERE site_id = :site ORDER BY created_at")


def _messages(shop):
    return shop.rows("SELECT * FROM message WHERE site_id = :site ORDER BY conversation_id, number")
