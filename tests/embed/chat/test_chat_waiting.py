"""A visitor who waits is not left alone; a message is left with an address; a chat is rated and saved."""

import re
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import expect

from tests.helpers.dialog import Dialog, chatting, say, until_offered
from tests.helpers.network_gate import answer, held, refuse

WAIT = "Thank you. Somebody will be with you in a moment."
LONGER = "It takes a little longer. Thank you for waiting."
ASKED = "Leave your e-mail address, and we answer there."
PROMISED = "Thank you. We answer to ada@shop.example."
NOBODY = "Nobody is here right now. Leave a message, and say how to reach you."
ADDRESS = "ada@shop.example"


def test_first_message_is_acknowledged_until_somebody_answers(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    dialog.say("Do you have white tea?")
    dialog.until_note(WAIT)
    conversation = agent.conversation(shop)
    agent.say(conversation, "We do")
    dialog.until_note("")
    say(shop, dialog, "Which?")
    dialog.until_note("")


def test_waiting_visitor_is_told_so_and_can_leave_an_address_on_any_page(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    say(shop, dialog, "Do you have white tea?")
    expect(_address(dialog)).to_be_hidden()
    _backdate(shop, page, agent, timedelta(seconds=31))
    page.goto(shop.url("/p2"))
    dialog.until_note(LONGER)
    _backdate(shop, page, agent, timedelta(seconds=30))
    page.goto(shop.url("/p3"))
    dialog.until_note(ASKED)
    _address(dialog).fill("ada@")
    _address(dialog).press("Enter")
    dialog.until_note("Please check the e-mail address.")
    _address(dialog).fill(ADDRESS)
    dialog.button("Save").click()
    dialog.until_note(PROMISED)
    shop.until(lambda: agent.conversation(shop).email == ADDRESS)
    page.goto(shop.url("/p4"))
    dialog.until_note(PROMISED)
    dialog.until_lines("Do you have white tea?")
    agent.say(agent.conversation(shop), "We do")
    dialog.until_note("")


def test_visitor_who_ends_a_chat_without_an_answer_reads_that_it_comes_by_mail(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    say(shop, dialog, "Do you have white tea?")
    _backdate(shop, page, agent, timedelta(seconds=61))
    page.goto(shop.url("/p2"))
    dialog.until_note(ASKED)
    _address(dialog).fill(ADDRESS)
    dialog.button("Save").click()
    dialog.until_note(PROMISED)
    shop.until(lambda: agent.conversation(shop).email == ADDRESS)
    dialog.button("End").click()
    dialog.button("End chat").click()
    shop.until(lambda: agent.conversation(shop).state == "left")
    dialog.until_note(PROMISED)
    dialog.until_lines("Do you have white tea?")


def test_button_of_a_visitor_who_is_blocked_goes_with_the_chat(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    say(shop, dialog, "Do you have white tea?")
    agent.block(agent.conversation(shop))
    dialog.until_note("This chat has ended.")
    dialog.button("Close").click()
    dialog.until_gone()


def test_button_of_a_visitor_who_is_blocked_after_the_chat_goes_at_once(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    say(shop, dialog, "Do you have white tea?")
    agent.end(agent.conversation(shop))
    dialog.until_note("This chat has ended.")
    dialog.button("Close").click()
    assert shop.chats("listen")
    shop.set_fault(refuse)  # no beacon brings it
    agent.block(agent.conversation(shop))
    dialog.until_gone()


def test_visitor_whose_message_begins_no_chat_reads_so_and_the_button_goes(shop, page, agent):
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    shop.set_chat_fault(answer(409, {"X-Drop-Reason": "not_offered"}))
    dialog.say("Hello?")
    dialog.until_lines("Hello? (not sent)")
    dialog.until_note("Your message could not be sent. This chat is not available.")
    dialog.button("Minimise").click()
    dialog.until_gone()


def test_agent_who_had_to_go_is_named(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.vacate(conversation)
    dialog.until_note("Ann had to go. A colleague takes over.")
    agent.come_back(agent.conversation(shop))
    dialog.until_note("")


@pytest.mark.parametrize(("email", "is_needed"), [("offered", False), ("required", True)])
def test_message_is_left_with_an_address(shop, page, agent, email, is_needed):
    agent.leave()
    agent.change_look(shop, email=email)
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    dialog.until_note(NOBODY)
    if is_needed:
        dialog.say("Please write to me")
        dialog.until_note("Please check the e-mail address.")
        expect(_address(dialog)).to_be_focused()
        expect(dialog.field).to_have_value("Please write to me")
    else:
        dialog.field.fill("Please write to me")
    _address(dialog).fill(ADDRESS)
    _address(dialog).press("Enter")
    dialog.until_note(PROMISED)
    [call] = shop.chats("open")
    assert call.beacon["e"] == ADDRESS
    conversation = agent.conversation(shop)
    assert (conversation.state, conversation.email) == ("left", ADDRESS)


def test_message_that_was_left_without_an_address_can_still_be_given_one(shop, page, agent):
    agent.leave()
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    dialog.say("Please call me")
    dialog.until_note("Thank you. Your message has arrived.")
    _address(dialog).fill(ADDRESS)
    dialog.button("Save").click()
    dialog.until_note(PROMISED)
    shop.until(lambda: agent.conversation(shop).email == ADDRESS)


def test_site_that_asks_for_no_address_has_no_field(shop, page, agent):
    agent.leave()
    agent.change_look(shop, email="")
    dialog = _with_button(shop, page, agent)
    dialog.pill.click()
    dialog.until_note(NOBODY)
    expect(_address(dialog)).to_be_hidden()


def test_each_message_has_its_time_and_the_newest_that_was_read_is_seen(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    say(shop, dialog, "one")
    say(shop, dialog, "two")
    times = dialog.element.locator("time")
    expect(times).to_have_count(3)
    agent.read(agent.conversation(shop), 2)
    expect(times.nth(1)).to_have_text(_clock(" · Seen"))
    expect(times.nth(2)).to_have_text(_clock(""))
    agent.read(agent.conversation(shop), 3)
    expect(times.nth(2)).to_have_text(_clock(" · Seen"))
    expect(times.nth(1)).to_have_text(_clock(""))


def test_message_of_another_day_has_its_date(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    say(shop, dialog, "one")
    _backdate(shop, page, agent, timedelta(days=2))
    page.goto(shop.url("/p2"))
    days_ago = "new Date(Date.now() - 2 * 864e5).toLocaleDateString('en-US', {dateStyle: 'short'})"
    expect(dialog.element.locator("time").nth(1)).to_contain_text(page.evaluate(days_ago))


@pytest.mark.long
def test_chat_is_rated_once_and_the_reason_may_follow(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    expect(dialog.element.get_by_text("How was this chat?")).to_be_visible()
    dialog.button("☹ Not good").click()
    shop.until(lambda: agent.conversation(shop).rating == "bad")
    why = dialog.element.get_by_role("textbox", name="Would you like to say why?")
    expect(why).to_be_focused()
    why.fill("Too slow")
    why.press("Enter")
    shop.until(lambda: agent.conversation(shop).rating_text == "Too slow")
    dialog.until_note("Thank you for your rating.")
    expect(dialog.button("☺ Good")).to_be_hidden()
    dialog.button("Close").click()
    dialog.until_gone()


def test_rating_holds_when_what_was_sent_before_it_arrives_after_it(shop, page, agent):
    is_let_through = Event()
    is_let_through.set()
    shop.set_chat_fault(held(is_let_through))
    dialog, _ = chatting(shop, page, agent)
    expect(dialog.button("End")).to_be_visible()
    is_let_through.clear()
    dialog.field.fill("not sent")
    dialog.button("End").click()
    dialog.button("End chat").click()
    shop.until(lambda: agent.conversation(shop).state == "ended")
    page.wait_for_timeout(500)  # the stream has it by now, without a rating
    dialog.button("☹ Not good").click()
    why = dialog.element.get_by_role("textbox", name="Would you like to say why?")
    expect(why).to_have_value("")
    why.fill("Too slow")
    is_let_through.set()
    it_has_arrived = """() => sessionStorage['vm-chat']?.includes('"c":""')"""
    page.wait_for_function(it_has_arrived)
    expect(why).to_have_value("Too slow")
    why.press("Enter")
    shop.until(lambda: agent.conversation(shop).rating_text == "Too slow")


def test_site_that_asks_for_no_rating_has_no_faces(shop, page, agent):
    agent.change_look(shop, asks_rating=False)
    dialog, conversation = chatting(shop, page, agent)
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    expect(dialog.button("☺ Good")).to_be_hidden()


def test_what_was_said_can_be_saved(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    say(shop, dialog, "Tea & <b>cake</b>, 茶?")
    agent.end(agent.conversation(shop))
    with page.expect_download() as started:
        dialog.button("Save transcript").click()
    assert started.value.suggested_filename == "chat.txt"
    first, second = Path(started.value.path()).read_text("utf-8").splitlines()
    assert first.endswith(" Ann: Can I help?")
    assert second.endswith(" You: Tea & <b>cake</b>, 茶?")


def _with_button(shop, page, agent):
    agent.show_button(shop)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    dialog = Dialog(page)
    until_offered(shop, page, dialog)
    return dialog


def _backdate(shop, page, agent, length):
    """Once the browser knows that all is sent: what it sends again on the next page has its own time."""
    page.wait_for_function("""() => sessionStorage['vm-chat'].includes('"o":{}')""")
    agent.backdate_messages(agent.conversation(shop), length)


def _address(dialog):
    return dialog.element.get_by_role("textbox", name="E-mail address")


def _clock(more):
    """A time of today, as browsers of the United States write it."""
    return re.compile(r"^\d{1,2}:\d\d\s[AP]M" + more + "$")
