"""The dialog in the visitor's language, and as the site's owner wants it."""

import pytest
from playwright.sync_api import expect

from tests.helpers.dialog import Dialog, invited, until_offered

GERMAN = '<script>document.documentElement.lang = "de-AT"</script>'


def test_dialog_speaks_the_pages_language(shop, page, agent):
    shop.head = GERMAN
    dialog = invited(shop, page, agent)
    expect(dialog.button("Nein, danke")).to_be_visible()
    dialog.button("Chatten").click()
    expect(dialog.element.get_by_role("textbox", name="Nachricht")).to_be_focused()
    assert _of_box(page, "lang") == "de"


@pytest.mark.parametrize(
    ("page_language", "reads", "word"),
    [
        ("", "fr-CA", "Laisser un message"),
        ("nb", "pl", "Zostaw wiadomość"),
        ("nb", "nb-NO", "Leave a message"),
        ("zh-Hant-TW", "en", "留言"),
        ("PT_br", "en", "Deixar uma mensagem"),
    ],
)
def test_language_is_the_pages_else_the_browsers_else_english(
    shop, page, agent, page_language, reads, word
):
    agent.leave()
    shop.head = f"<script>document.documentElement.lang = '{page_language}'</script>"
    page.add_init_script(
        f"Object.defineProperty(Navigator.prototype, 'languages', {{get: () => ['{reads}']}})"
    )
    _with_button(shop, page, agent).until_pill(word)


def test_arabic_runs_from_right_to_left_and_stands_at_the_left(shop, page, agent):
    shop.head = '<script>document.documentElement.lang = "ar"</script>'
    dialog = invited(shop, page, agent, "Can I help?")
    assert _of_box(page, "dir") == "rtl"
    assert _left(dialog.card) < 100
    line = dialog.lines.first
    assert line.evaluate("each => getComputedStyle(each.parentNode).unicodeBidi") == "plaintext"
    accept, decline = dialog.button("ابدأ الدردشة"), dialog.button("لا، شكرًا")
    assert _left(accept) > _left(decline)


def test_words_that_cannot_be_had_are_english(shop, page, agent):
    page.route("**/embed/chat-*.json*", lambda route: route.abort())
    shop.head = GERMAN
    dialog = invited(shop, page, agent)
    expect(dialog.button("No, thanks")).to_be_visible()


def test_dialog_comes_once_words_can_be_had(shop, page, agent):
    routes = ("**/embed/chat-*.json*", "**/visitor-monitor-english.js")
    asked = []
    for each in routes:
        page.route(each, lambda route: asked.append(route.request.url) or route.abort())
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop, "Hello")
    dialog = Dialog(page)
    shop.until(lambda: _beat(page) or any("english" in url for url in asked))
    assert dialog.lines.count() == 0

    for each in routes:
        page.unroute(each)
    expect(dialog.button("No, thanks")).to_be_visible(timeout=20_000)


def test_owners_texts_colour_and_corner_are_shown_within_seconds(shop, page, agent):
    agent.change_look(
        shop,
        title="Tea counter",
        greeting="Which tea?",
        colour="#00796b",
        corner="left",
        words={"en": {"send": "Off it goes"}, "de": {"send": "Los"}},
    )
    dialog = _with_button(shop, page, agent)
    dialog.until_pill("Tea counter")
    dialog.pill.click()
    dialog.until_note("Which tea?")
    main = dialog.button("Off it goes")
    expect(main).to_have_css("background-color", "rgb(0, 121, 107)")
    assert _left(dialog.card) < 100


def test_visitor_whose_words_are_under_way_sees_no_other_language(shop, page, agent):
    shop.head = GERMAN
    waiting = []
    page.route("**/embed/chat-*.json*", lambda route: waiting.append(route))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop, "Hallo")
    dialog = Dialog(page)
    shop.until(lambda: _beat(page) or waiting)
    page.wait_for_timeout(1_000)
    assert dialog.lines.count() == 0
    assert agent.conversation(shop).state == "delivered", "and not shown"
    waiting[0].continue_()
    expect(dialog.button("Chatten")).to_be_visible()
    shop.until(lambda: agent.conversation(shop).state == "shown")


def _with_button(shop, page, agent):
    agent.show_button(shop)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    dialog = Dialog(page)
    until_offered(shop, page, dialog)
    return dialog


def _left(locator):
    return locator.evaluate("each => each.getBoundingClientRect().left")


def _of_box(page, name):
    return page.locator("visitor-monitor-chat").evaluate(
        "(each, name) => each.shadowRoot.firstElementChild[name]", name
    )


def _beat(page):
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_timeout(300)
