"""What must hold in every engine: the scenarios that a visitor meets first, in Chromium, Firefox and WebKit.

What depends on no engine is tested in one, Chromium, in the other files.
"""

import json
import time

import pytest

from tests.helpers.dialog import texts
from tests.helpers.engines.visitor_chat import VisitorChat
from tests.helpers.network_gate import buffer, refuse

NOTE_FAULTS = """<script>
    window.faults = [];
    const note = (event) => faults.push(String(event.reason || event.message));
    addEventListener('error', note);
    addEventListener('unhandledrejection', note);
    addEventListener('pageshow', (event) => (window.isFromCache = event.persisted));
</script>"""
NOT_KEPT_FOR_BACK = "<script>addEventListener('unload', () => {})</script>"
COUNT_LISTENERS = """<script>
    window.listening = 0;
    const plain = fetch;
    window.fetch = function (url, init) {
        'use strict';
        if (String(url).endsWith('/listen')) {
            listening++;
            init.signal.addEventListener('abort', () => listening--);
        }
        return plain.call(this, url, init);
    };
</script>"""
STORED = "[...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].join()"


@pytest.fixture(autouse=True)
def page_without_faults(shop, engine):
    """No page may throw."""
    shop.head = NOTE_FAULTS
    yield
    assert engine.evaluate("window.faults || []") == []


def test_first_load_is_one_view_of_one_visit(shop, engine):
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    assert shop.visit()["current_title"] == "Page /p1"
    assert engine.evaluate(STORED) == "vm,"


def test_browser_with_the_link_for_own_visits_sends_nothing(shop, engine):
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    engine.go(shop.url("/p2?visitor-monitor=own"))
    shop.until(lambda: engine.evaluate(STORED) == "vm-own,")
    shop.until_event("h")
    sent = len(shop.beacons())
    engine.go(shop.url("/p3"))
    push(engine, "/p4")
    until_quiet(shop)
    assert len(shop.beacons()) == sent
    engine.go(shop.url("/p5?visitor-monitor=count"))
    shop.until_paths("/p1", "/p5")
    assert engine.evaluate(STORED) == "vm,"


def test_routes_of_a_single_page_application_are_views(shop, engine):
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    push(engine, "/p2")
    shop.until_paths("/p1", "/p2")
    push(engine, "/p3")
    shop.until_paths("/p1", "/p2", "/p3")
    engine.evaluate("history.back()")
    shop.until_paths("/p1", "/p2", "/p3", "/p2")
    assert shop.visit()["current_path"] == "/p2"


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "loaded again"])
def test_page_that_back_brings_is_a_view(shop, engine, is_kept):
    shop.head += "" if is_kept else NOT_KEPT_FOR_BACK
    shop.set_fault(_asks_for_no_listening)  # an agent of a test before may still be there
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    until_quiet(shop)
    engine.go(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    engine.back()
    shop.until(lambda: engine.evaluate("location.pathname") == "/p1")
    assert not is_kept or engine.evaluate("isFromCache") is True
    shop.until_paths("/p1", "/p2", "/p1")
    push(engine, "/end")
    shop.until_paths("/p1", "/p2", "/p1", "/end")


def test_hidden_page_is_away_and_its_return_is_no_view(shop, engine):
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    engine.hide()
    shop.until_event("h")
    shop.until(lambda: not is_in_view(shop))
    engine.show()
    shop.until_event("p")
    shop.until(lambda: is_in_view(shop))
    assert shop.paths() == ["/p1"]


def test_page_that_is_left_at_once_is_kept(shop, engine):
    shop.pages["/hop"] = (
        "<title>Hop</title>{tag}<script>onload = () => (location.href = '/end')</script>"
    )
    engine.open(shop.url("/hop"))
    shop.until_paths("/hop", "/end")


def test_page_that_is_left_for_another_website_is_away(shop, engine):
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    until_quiet(shop)
    engine.go("about:blank")
    shop.until_event("h")
    shop.until(lambda: not is_in_view(shop))


def test_without_storage_the_next_page_is_the_same_visit(shop, engine):
    shop.attributes = 'data-storage="none"'
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    engine.go(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    assert shop.visit()["page_count"] == 2
    assert engine.evaluate(STORED) == ""


def test_page_listens_for_an_invitation_while_it_is_in_view(shop, engine, agent):
    shop.head += COUNT_LISTENERS
    engine.open(shop.url("/p1"))
    until_listening(shop, engine, 1)
    engine.hide()
    until_listening(shop, engine, 0)
    engine.show()
    until_listening(shop, engine, 1)
    engine.evaluate("visitorMonitor('consent', false)")
    until_listening(shop, engine, 0)
    engine.evaluate("visitorMonitor('consent', true)")
    until_listening(shop, engine, 1)
    engine.evaluate("visitorMonitor('optOut')")
    until_listening(shop, engine, 0)


def test_page_that_back_brings_listens_again(shop, engine, agent):
    shop.head += COUNT_LISTENERS
    engine.open(shop.url("/p1"))
    until_listening(shop, engine, 1)
    until_quiet(shop)
    engine.go(shop.url("/p2"))
    until_listening(shop, engine, 1)
    engine.back()
    shop.until(lambda: engine.evaluate("location.pathname") == "/p1")
    # Firefox keeps no page that had a call open: it listens only while somebody looks, as the agent here.
    shop.until(lambda: engine.name == "Firefox" or engine.evaluate("window.isFromCache"))
    until_listening(shop, engine, 1)


@pytest.mark.parametrize("proxy", [None, buffer], ids=["passed on", "held back"])
def test_invitation_does_not_wait_for_a_beacon(shop, engine, agent, proxy):
    shop.head += COUNT_LISTENERS
    shop.set_chat_fault(proxy)
    engine.open(shop.url("/p1"))
    until_listening(shop, engine, 1)
    shop.set_fault(refuse)
    agent.invite(shop, "Can I help?")
    VisitorChat(engine).until_offered()
    shop.until(lambda: agent.conversation(shop).state == "shown")
    assert engine.evaluate("listening") == 0


def test_visitor_is_invited_and_both_talk(shop, engine, agent):
    chat = VisitorChat(engine)
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop, "Can I help?")
    chat.until_offered()
    chat.until_lines("Can I help?")
    shop.until(lambda: agent.conversation(shop).state == "shown")

    chat.press_button("Chat")
    shop.until(lambda: agent.conversation(shop).state == "open")
    chat.say("Is it green?")
    shop.until(lambda: texts(shop) == ["Can I help?", "Is it green?"])
    agent.say(agent.conversation(shop), "It is.")
    chat.until_lines("Can I help?", "Is it green?", "It is.")

    engine.go(shop.url("/p2"))
    chat.until_lines("Can I help?", "Is it green?", "It is.")
    chat.say("Thank you")
    shop.until(lambda: "Thank you" in texts(shop))
    agent.end(agent.conversation(shop))
    shop.until(lambda: chat.note() == "This chat has ended.")


def test_dialog_speaks_the_pages_language_and_is_rated(shop, engine, agent):
    shop.head = NOTE_FAULTS + "<script>document.documentElement.lang = 'ar'</script>"
    chat = VisitorChat(engine)
    engine.open(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop, "Can I help?")
    chat.until_offered()
    chat.press_button("ابدأ الدردشة")
    chat.say("Is it green?")
    shop.until(lambda: texts(shop) == ["Can I help?", "Is it green?"])
    assert chat.direction() == "rtl"
    assert len(chat.times()) == 2
    agent.end(agent.conversation(shop))
    shop.until(lambda: chat.note() == "انتهت هذه الدردشة.")
    chat.press_button("☺ جيدة")
    shop.until(lambda: agent.conversation(shop).rating == "good")
    chat.say("Thanks")
    shop.until(lambda: agent.conversation(shop).rating_text == "Thanks")


def _asks_for_no_listening(passage, forward):
    reply = forward(passage)
    if reply and reply.status == 200:
        reply.body = json.dumps({**json.loads(reply.body), "l": 0}).encode()
    return reply


def until_quiet(shop):
    """Wait until the page has asked for nothing for a moment.

    Firefox keeps no page for Back that waits for a module.
    """
    shop.until(lambda: time.monotonic() - shop.passages()[-1].at > 0.5)


def until_listening(shop, engine, number):
    """A page that does not yet asks again: the collector hears within seconds that an agent is there."""

    def holds():
        is_there = engine.evaluate("window.listening") == number
        if number and not is_there:
            engine.evaluate("dispatchEvent(new Event('focus'))")
            time.sleep(0.3)
        return is_there

    shop.until(holds)


def push(engine, path):
    engine.evaluate(f"history.pushState({{}}, '', '{path}')")


def is_in_view(shop):
    return shop.rows(
        "SELECT 1 FROM visit_span WHERE site_id = :site AND kind = 'in_view' AND is_open"
    )
