"""Nothing is lost or doubled: reloads, tabs, broken connections, proxies that buffer, a restart."""

import json
import time
from datetime import timedelta
from itertools import islice

import pytest

from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.dialog import Dialog, chatting, invited, send_beacon, texts, until_offered
from tests.helpers.network_gate import Reply, answer, buffer, first, lose, open_gate, refuse, slow
from tests.helpers.shop import ABANDONED, open_shops, until

NO_LOCKS = "delete Navigator.prototype.locks"
SLOW_UPDATES = """
const read = Response.prototype.json;
Response.prototype.json = async function () {
  const found = await read.call(this);
  if (found?.m && found.state === 'open') {
    window.isReading = true;
    await new Promise(done => setTimeout(done, 3000));
    window.hasRead = true;
  }
  return found;
};
"""
"""A browser so busy that it takes seconds to read what it has received of a conversation."""


def test_message_of_the_last_moment_survives_the_reload(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    for number in range(3):
        dialog.say(f"before {number}")
        page.reload()
        dialog = Dialog(page)
        dialog.until_visible()
    agent.say(conversation, "after")
    dialog.until_lines("Can I help?", "before 0", "before 1", "before 2", "after")
    assert texts(shop) == ["Can I help?", "before 0", "before 1", "before 2", "after"]


def test_message_that_could_not_be_sent_is_sent_after_the_reload(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(refuse)
    dialog.say("one")
    dialog.say("two")
    dialog.until_note("Not sent yet. It will be tried again.")
    dialog.until_lines("Can I help?", "one", "two")
    page.reload()
    shop.set_chat_fault(None)
    dialog.until_lines("Can I help?", "one", "two")
    shop.until(lambda: texts(shop) == ["Can I help?", "one", "two"])
    dialog.until_note("")


def test_answers_that_are_lost_double_nothing(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", first(3, lose)))
    for text in ("one", "two", "three"):
        dialog.say(text)
    # Each message that is written ends the pause before the next try: all may be there before we look.
    shop.until(lambda: len(texts(shop)) > 1)
    agent.say(conversation, "four")
    shop.until(lambda: len(texts(shop)) == 5)
    dialog.until_note("")
    assert texts(shop)[1] == "one"
    assert sorted(texts(shop)[1:]) == ["four", "one", "three", "two"]
    dialog.until_lines(*texts(shop))


@pytest.mark.long
def test_collector_that_asks_to_wait_gets_it_later(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", answer(503, {"Retry-After": "1"})))
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    shop.set_chat_fault(None)
    shop.until(lambda: texts(shop)[1:] == ["one"])
    dialog.until_note("")


@pytest.mark.long
def test_slow_line_says_that_it_is_not_sent_yet(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", slow(6)))
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    dialog.until_note("")


def test_message_that_comes_after_the_end_says_that_it_was_not_sent(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", refuse))
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    dialog.until_lines("Can I help?", "one (not sent)")
    assert texts(shop) == ["Can I help?"]
    dialog.button("Close").click()
    dialog.until_gone()


def test_message_that_cannot_be_taken_says_so_and_holds_up_nothing(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", answer(409, {"X-Drop-Reason": "too_many"})))
    dialog.say("one")
    dialog.until_lines("Can I help?", "one (not sent)")
    dialog.button("End").click()
    dialog.button("End chat").click()
    shop.until(lambda: agent.conversation(shop).closed_by == "visitor")


@pytest.mark.parametrize("is_read_unsent", [False, True], ids=["all sent", "read unsent"])
def test_chat_that_ended_long_ago_is_not_shown_again(shop, page, agent, is_read_unsent):
    """The next page hears of it by its stream, or before that by what the last one had not sent yet."""
    if is_read_unsent:
        shop.set_chat_fault(_only("read", refuse))
    _, conversation = chatting(shop, page, agent)
    shop.until(lambda: shop.chats("read"))
    page.goto("about:blank")
    shop.set_chat_fault(None)
    agent.end(conversation)
    agent.backdate_end(conversation, timedelta(minutes=31))
    page.goto(shop.url("/p2"))
    shop.until(lambda: 410 in [passage.status for passage in shop.chats()])
    shop.until(lambda: page.evaluate("localStorage['vm-chat']") is None)
    Dialog(page).until_gone()


@pytest.mark.long
def test_coming_back_online_sends_at_once(shop, page, agent, context):
    dialog, conversation = chatting(shop, page, agent)
    context.set_offline(True)
    dialog.say("one")
    dialog.until_note("Not sent yet. It will be tried again.")
    agent.say(conversation, "two")
    page.wait_for_timeout(4_000)
    back_at = time.monotonic()
    context.set_offline(False)
    sent = shop.until(lambda: [p for p in shop.chats("send") if p.at > back_at])
    assert sent[0].at - back_at < 1
    shop.until(lambda: texts(shop) == ["Can I help?", "two", "one"])
    dialog.until_lines("Can I help?", "two", "one")


@pytest.mark.long
def test_stream_that_a_proxy_holds_back_is_replaced_by_polls(shop, page, agent):
    shop.set_chat_fault(buffer)
    dialog, conversation = chatting(shop, page, agent)
    shop.until(lambda: shop.chats("poll"))
    agent.say(conversation, "one")
    dialog.until_lines("Can I help?", "one")
    for number in range(5):
        agent.say(conversation, f"{number}")
        dialog.say(f"and {number}")
    shop.until(lambda: len(texts(shop)) == 12)
    dialog.until_lines(*texts(shop))
    assert len(shop.chats("stream")) == 1


def test_polls_are_not_used_where_streams_work(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    for number in range(5):
        agent.say(conversation, f"{number}")
    dialog.until_lines("Can I help?", "0", "1", "2", "3", "4")
    assert shop.chats("poll") == []
    assert len(shop.chats("stream")) == 1


def test_stream_that_breaks_is_opened_again_where_it_was(shop, page, agent):
    shop.set_chat_fault(_only("stream", first(3, _cut)))
    dialog, conversation = chatting(shop, page, agent)
    for number in range(4):
        agent.say(conversation, str(number))
        dialog.until_lines("Can I help?", *map(str, range(number + 1)))
    shop.until(lambda: len(shop.chats("stream")) == 4)
    assert shop.chats("poll") == []
    cursors = [json.loads(passage.body)["after"] for passage in shop.chats("stream")]
    assert cursors[0] == 0 < cursors[1]
    assert cursors == sorted(cursors)


def test_visitor_who_gets_no_stream_has_every_answer(make_context, tmp_path, monkeypatch):
    """Of two visitors with one address, only one gets a stream: the other polls."""
    monkeypatch.setenv("MONITOR_STREAMS_PER_ADDRESS", "1")
    collector = CollectorProcess(tmp_path, ["own", "other"])
    collector.start()
    try:
        with open_gate(collector.port) as gate, open_shops(gate, collector.database) as make:
            agent = AgentAtWork(collector.database)
            shops = [make(key) for key in ("own", "other")]
            chats = [chatting(shop, make_context().new_page(), agent) for shop in shops]
            for number in range(2):
                for _, conversation in chats:
                    agent.say(conversation, f"answer {number}")
                for dialog, _ in chats:
                    dialog.until_lines("Can I help?", *(f"answer {n}" for n in range(number + 1)))
            for shop, (dialog, _) in zip(shops, chats, strict=True):
                dialog.say("thanks")
                shop.until(lambda shop=shop: texts(shop)[-1] == "thanks")
                dialog.until_note("")
            agent.close()
    finally:
        collector.stop()


@pytest.mark.long
def test_collector_restarts_in_the_middle(page, tmp_path):
    collector = CollectorProcess(tmp_path, ["own"])
    collector.start()
    try:
        with open_gate(collector.port) as gate, open_shops(gate, collector.database) as make:
            shop, agent = make("own"), AgentAtWork(collector.database)
            dialog, conversation = chatting(shop, page, agent)
            dialog.say("before")
            shop.until(lambda: len(texts(shop)) == 2)
            collector.stop()
            dialog.say("while")
            agent.say(conversation, "it was away")
            dialog.until_note("Not sent yet. It will be tried again.")
            collector.start()
            shop.until(lambda: len(texts(shop)) == 4)
            agent.say(conversation, "after")
            dialog.until_lines("Can I help?", "before", "it was away", "while", "after")
            assert texts(shop) == ["Can I help?", "before", "it was away", "while", "after"]
            agent.close()
    finally:
        collector.stop()


@pytest.mark.long
def test_typing_that_has_ended_is_not_passed_on_to_another_tab(shop, context, agent):
    page, second_page = context.new_page(), context.new_page()
    dialog, conversation = chatting(shop, page, agent)
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    dialog.until_note("")
    other = Dialog(second_page)
    second_page.goto(shop.url("/p2"))
    other.until_lines("Can I help?")
    assert other.note.text_content() == ""


@pytest.mark.parametrize("script", ["", NO_LOCKS], ids=["locks", "plain http"])
def test_two_tabs_show_the_same_at_once(shop, context, agent, script):
    context.add_init_script(script)
    first_page, second_page = context.new_page(), context.new_page()
    dialog, conversation = chatting(shop, first_page, agent)
    other = Dialog(second_page)
    second_page.goto(shop.url("/p2"))
    other.until_lines("Can I help?")
    other.until_visible()
    agent.say(conversation, "one")
    for each in (dialog, other):
        each.until_lines("Can I help?", "one")
    other.say("two")
    dialog.until_lines("Can I help?", "one", "two")
    dialog.say("three")
    other.until_lines("Can I help?", "one", "two", "three")
    assert texts(shop) == ["Can I help?", "one", "two", "three"]


def test_tabs_of_a_browser_have_one_stream(shop, context, agent):
    pages = [context.new_page() for _ in range(3)]
    _, conversation = chatting(shop, pages[0], agent)
    for page in pages[1:]:
        page.goto(shop.url("/p2"))
        Dialog(page).until_visible()
    agent.say(conversation, "one")
    for page in pages:
        Dialog(page).until_lines("Can I help?", "one")
    assert len(shop.chats("stream")) == 1
    pages[0].close()
    agent.say(conversation, "two")
    for page in pages[1:]:
        Dialog(page).until_lines("Can I help?", "one", "two")
    shop.until(lambda: len(shop.chats("stream")) == 2)


def test_what_one_tab_has_read_is_read_in_the_other(shop, context, agent):
    one, two = context.new_page(), context.new_page()
    dialog, conversation = chatting(shop, one, agent)
    dialog.button("Minimise").click()
    two.goto(shop.url("/p2"))
    other = Dialog(two)
    other.until_pill("Ann")
    agent.say(conversation, "one")
    dialog.until_pill("Ann 1 new")
    other.until_pill("Ann 1 new")
    other.pill.click()
    dialog.until_pill("Ann")


def test_end_in_one_tab_is_the_end_in_the_other(shop, context, agent):
    one, two = context.new_page(), context.new_page()
    dialog, _ = chatting(shop, one, agent)
    two.goto(shop.url("/p2"))
    other = Dialog(two)
    other.until_visible()
    dialog.button("End").click()
    dialog.button("End chat").click()
    other.until_note("This chat has ended.")


def test_tab_that_was_open_before_has_it_once_it_is_visible(shop, context, agent):
    before, page = context.new_page(), context.new_page()
    before.goto(shop.url("/p0"))
    shop.until_paths("/p0")
    page.goto(shop.url("/p1"))
    shop.until_paths("/p0", "/p1")
    agent.invite(shop)
    dialog = Dialog(page)
    shop.until(lambda: send_beacon(page) or page.wait_for_timeout(200) or dialog.pill.count())
    dialog.button("Chat").click()
    shop.until(lambda: agent.conversation(shop).state == "open")
    send_beacon(before)
    Dialog(before).until_lines("Can I help?")


def test_hidden_tab_holds_no_stream_and_goes_on_when_it_is_shown(shop, agent, tabs):
    tab = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop)
    until(lambda: shop.chats("stream"), lambda: "no stream", within=30)
    tabs.open("about:blank")
    shop.until_event("h")
    agent.end(agent.conversation(shop))
    requests = len(_listened(shop))
    time.sleep(1)
    assert len(_listened(shop)) == requests
    tabs.show(tab)
    shop.until(lambda: len(_listened(shop)) > requests)


@pytest.mark.long
def test_page_that_comes_back_sends_what_an_abandoned_request_held(shop, page_with_back, agent):
    shop.head = ABANDONED
    dialog, conversation = chatting(shop, page_with_back, agent)
    page_with_back.evaluate(
        """isLeaving = true;
        addEventListener('pageshow', event => (window.isKept = event.persisted))"""
    )
    dialog.say("one")  # like a message of the moment in which the page is left
    page_with_back.wait_for_function("abandoned.some(url => url.includes('/v1/conversation/'))")
    page_with_back.goto(shop.url("/p2"))
    Dialog(page_with_back).until_visible()
    page_with_back.go_back(wait_until="commit")
    page_with_back.wait_for_function("window.isKept")
    dialog.say("two")
    shop.until(lambda: set(texts(shop)) == {"Can I help?", "one", "two"})
    agent.say(conversation, "three")
    dialog.until_lines(*texts(shop))


def test_page_is_kept_for_back_with_a_conversation(shop, page_with_back, agent):
    dialog, conversation = chatting(shop, page_with_back, agent)
    page_with_back.evaluate(
        "addEventListener('pageshow', event => window.isKept = event.persisted)"
    )
    page_with_back.goto(shop.url("/p2"))
    dialog.until_lines("Can I help?")
    agent.say(conversation, "one")
    dialog.until_lines("Can I help?", "one")
    page_with_back.go_back(wait_until="commit")
    page_with_back.wait_for_function("window.isKept")
    dialog.until_lines("Can I help?", "one")
    agent.say(conversation, "two")
    dialog.until_lines("Can I help?", "one", "two")


def test_conversation_that_is_unknown_is_forgotten(shop, page):
    page.goto(shop.url("/p1"))
    page.evaluate("localStorage['vm-chat'] = 'a'.repeat(32)")
    page.reload()
    shop.until(lambda: page.evaluate("localStorage['vm-chat']") is None)
    Dialog(page).until_gone()
    assert 1 <= len(shop.chats()) <= 2


def test_site_that_refuses_gets_no_more_requests(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.until(lambda: agent.conversation(shop).visitor_read == 1)
    shop.set_chat_fault(answer(403, {"X-Drop-Reason": "tracking_off"}))
    dialog.say("one")
    dialog.until_gone()
    requests = len(shop.chats())
    page.wait_for_timeout(1_500)
    assert len(shop.chats()) == requests


@pytest.mark.long
@pytest.mark.parametrize("status", [401, 404, 405, 501])
def test_chat_calls_to_what_is_no_collector_end(shop, page, agent, status):
    dialog, _ = chatting(shop, page, agent)
    shop.until(lambda: agent.conversation(shop).visitor_read == 1)
    shop.set_chat_fault(answer(status))
    dialog.say("one")
    shop.until(lambda: [passage.status for passage in shop.chats("send")][-1:] == [status])
    page.wait_for_timeout(300)
    requests = len(shop.chats())
    page.wait_for_timeout(2_500)
    assert len(shop.chats()) == requests


@pytest.mark.long
@pytest.mark.parametrize("status", [404, 405, 501])
def test_chat_that_what_is_no_collector_cannot_open_is_not_tried_again(shop, page, agent, status):
    agent.show_button(shop)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    dialog = Dialog(page)
    until_offered(shop, page, dialog)
    shop.set_chat_fault(answer(status))
    dialog.pill.click()
    dialog.say("one")
    dialog.until_gone()
    page.wait_for_timeout(2_500)
    assert [passage.chat for passage in shop.chats()] == ["open"]


def test_page_that_adds_headers_to_every_request_can_chat(shop, page, agent):
    shop.head = """<script>
        const plain = window.fetch;
        window.fetch = (url, init = {}) =>
            plain(url, {...init, headers: {...init.headers, traceparent: '1', Authorization: '2'}});
    </script>"""
    dialog, conversation = chatting(shop, page, agent)
    agent.say(conversation, "We do")
    dialog.say("Good")
    dialog.until_lines("Can I help?", "We do", "Good")
    shop.until(
        lambda: {"stream", "send"} <= {p.chat for p in shop.chats() if "traceparent" in p.headers}
    )


def test_conversation_that_has_ended_meanwhile_says_so(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", answer(410, body=b'{"error": "over"}')))
    dialog.say("one")
    dialog.until_note("This chat has ended.")
    dialog.until_lines("Can I help?", "one (not sent)")
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    page.wait_for_timeout(500)
    dialog.until_gone()
    assert page.evaluate("sessionStorage['vm-chat']") is None


def test_conversation_that_has_ended_is_not_opened_by_what_was_read_before(shop, page, agent):
    page.add_init_script(SLOW_UPDATES)
    dialog, _ = chatting(shop, page, agent)
    shop.set_chat_fault(_only("send", answer(410, body=b'{"error": "over"}')))
    shop.until(lambda: page.evaluate("window.isReading"))
    dialog.say("one")
    dialog.until_note("This chat has ended.")
    assert not page.evaluate("window.hasRead")
    shop.until(lambda: page.evaluate("window.hasRead"))
    page.wait_for_timeout(200)
    dialog.until_note("This chat has ended.")
    dialog.button("Close").click()
    dialog.until_gone()


def test_end_that_comes_first_in_an_answer_is_shown_with_all_messages(shop, page, agent):
    shop.set_chat_fault(_only("read", refuse))
    _, conversation = chatting(shop, page, agent)
    shop.until(lambda: shop.chats("read"))
    page.goto("about:blank")
    agent.say(conversation, "Goodbye")
    agent.end(conversation)
    shop.set_chat_fault(_only("stream", slow(1)))
    page.goto(shop.url("/p2"))
    dialog = Dialog(page)
    dialog.until_lines("Can I help?", "Goodbye")
    dialog.until_note("This chat has ended.")


def test_garbage_in_a_stream_is_survived(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)

    def garble(passage, forward):
        headers = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"}
        return Reply(200, headers, b"data: {]\n\n:\n\ndata: {}\n\ndata: null\n\n")

    shop.set_chat_fault(_only("stream", first(1, garble)))
    page.reload()
    agent.say(conversation, "one")
    dialog.until_lines("Can I help?", "one")


def test_invitation_that_cannot_be_reported_as_shown_is_reported_later(shop, page, agent):
    shop.set_chat_fault(_only("shown", first(2, refuse)))
    invited(shop, page, agent)
    shop.until(lambda: agent.conversation(shop).state == "shown")


def _listened(shop):
    return shop.chats("stream") + shop.chats("poll")


def _cut(passage, forward):
    """A fault: the stream ends after its first parts."""
    reply = forward(passage)
    if reply is not None and reply.stream is not None:
        reply.stream = islice(reply.stream, 2)
    return reply


def _only(action, fault):
    def choose(passage, forward):
        return fault(passage, forward) if passage.chat == action else forward(passage)

    return choose
