"""The chat never harms the page or its visitor: focus, layout, policies, odd pages, hostile text."""

import pytest
from playwright.sync_api import expect

from core.chat.outcome import end_text
from tests.helpers.dialog import (
    Dialog,
    chatting,
    invited,
    say,
    texts,
    until_beacon_brings,
    until_offered,
)
from tests.helpers.network_gate import refuse

pytestmark = pytest.mark.long

REPORTS = """<script nonce="n0nce">
    window.violations = [];
    addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective));
</script>"""
POLICY = (
    "default-src 'none'; script-src 'strict-dynamic' 'nonce-n0nce';"
    " connect-src {}; require-trusted-types-for 'script'; trusted-types 'none'"
)
SHIFTS = """<script>
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const {hadRecentInput, value, sources} of list.getEntries())
            if (!hadRecentInput)
                shifts.push([value, ...sources.map(({previousRect, currentRect}) =>
                    [previousRect.toJSON(), currentRect.toJSON()])]);
    }).observe({type: 'layout-shift', buffered: true});
</script>"""
HOSTILE = [
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>',
    "{{constructor.constructor('window.hacked=1')()}} javascript:window.hacked=1",
    "\u202eevil\u202c \u2066x\u2069 \u200f",
    "x" * 2_000,
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 ملحوظة",
    "a\n\n\nb\ttab",
    "&lt;b&gt; &amp; \"quoted\" 'single' `back` ${1}",
]


TRAP = """<script>
    window.trap = () => {
        const modal = document.createElement('div');
        modal.innerHTML = '<input id="inside"><button>close</button>';
        modal.setAttribute('role', 'dialog');
        document.body.append(modal);
        const inside = modal.firstChild;
        const isOutside = (event) => !modal.contains(event.target);
        let last = inside;
        modal.addEventListener('focusin', (event) => { last = event.target });
        %s;
        inside.focus();
    };
</script>"""
TRAPS = {
    "Bootstrap, jQuery": """document.addEventListener('focusin', (event) => {
        if (document !== event.target && isOutside(event)) inside.focus();
    })""",
    "focus-trap": """
        document.addEventListener('focusin', (event) => {
            if (!isOutside(event)) return;
            event.stopImmediatePropagation();
            last.focus();
        }, true);
        const pressed = (event) => isOutside(event) && event.preventDefault();
        for (const name of ['mousedown', 'touchstart'])
            document.addEventListener(name, pressed, {capture: true, passive: false});
        document.addEventListener('click', (event) => {
            if (!isOutside(event)) return;
            event.preventDefault();
            event.stopImmediatePropagation();
        }, {capture: true, passive: false});
        document.addEventListener('keydown', (event) => {
            if (event.key !== 'Tab') return;
            event.preventDefault();
            inside.focus();
        }, {capture: true, passive: false})""",
    "MUI": """
        document.addEventListener('focus', (event) => isOutside(event) && inside.focus(), true);
        document.addEventListener('keydown', (event) => {
            if (event.key === 'Tab' && isOutside(event)) inside.focus();
        }, true);
        setInterval(() => document.activeElement.tagName === 'BODY' && inside.focus(), 50)""",
    "Radix": """
        document.addEventListener('focusin', (event) => isOutside(event) && last.focus());
        document.addEventListener('focusout', ({relatedTarget}) => {
            if (relatedTarget !== null && !modal.contains(relatedTarget)) last.focus();
        })""",
}
"""How libraries keep the focus inside a dialog of the page."""


OVERLAY = """
    document.body.insertAdjacentHTML('beforeend', '<div popover=manual role=dialog aria-modal=true '
        + 'style="position: fixed; box-sizing: border-box; width: 100%%; %s">First this</div>');
    document.querySelector('[popover]').showPopover()"""
STYLED = "document.getElementById('hiding').textContent = '{}'"
HIDDEN = {
    "modal": (
        "document.querySelector('dialog').showModal()",
        "document.querySelector('dialog').close()",
    ),
    "full screen": ("requestFullscreen", "document.exitFullscreen()"),
    "inert": (
        "document.documentElement.inert = true",
        "document.documentElement.inert = false",
    ),
    "overlay": (OVERLAY % "height: 100%", "document.querySelector('[popover]').remove()"),
    "half covered": (
        OVERLAY % "inset: auto 0 0 0; height: 70px",
        "document.querySelector('[popover]').remove()",
    ),
    "not displayed": (
        STYLED.format("visitor-monitor-chat { display: none }"),
        STYLED.format(""),
    ),
    "transparent": (STYLED.format("html { opacity: 0 }"), STYLED.format("")),
    "clipped": (STYLED.format("html { clip-path: inset(0 0 100% 0) }"), STYLED.format("")),
    "moved out": (
        STYLED.format("visitor-monitor-chat { position: fixed; transform: translate(-9999px) }"),
        STYLED.format(""),
    ),
}
"""What hides the dialog or makes it useless, and the end of that."""
IN_FULL_SCREEN = """() => new Promise((done) => {
    const button = document.querySelector('body > button');
    button.onclick = () => button.requestFullscreen().then(done);
    button.click();
})"""


# The focus and the keyboard


def test_invitation_does_not_take_the_focus(shop, page, agent):
    shop.head = (
        "<script>addEventListener('load', () => document.querySelector('a').focus())</script>"
    )
    dialog = invited(shop, page, agent)
    dialog.until_visible()
    assert page.evaluate("document.activeElement.id") == "next"


def test_escape_minimises_and_gives_the_focus_back(shop, page, agent):
    dialog = invited(shop, page, agent)
    page.locator("#next").focus()
    dialog.button("Chat").focus()
    page.keyboard.press("Enter")
    expect(dialog.field).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog.field).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "next"
    shop.until(lambda: agent.conversation(shop).state == "open")
    dialog.pill.focus()
    page.keyboard.press("Enter")
    expect(dialog.field).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog.pill).to_be_focused()


@pytest.mark.parametrize("place", [".log", ".title", "#note", "textarea", "End", "Keep chatting"])
def test_one_escape_minimises_from_wherever_the_dialog_is_used(shop, page, agent, place):
    shop.head = """<script>
        document.addEventListener('keydown', event => event.stopPropagation(), true);
    </script>"""
    dialog, _ = chatting(shop, page, agent)
    dialog.field.press_sequentially("a draft")
    if place == "Keep chatting":
        dialog.button("End").click()
    elif place == "End":
        dialog.button("End").focus()
    else:
        dialog.element.locator(place).click()
    page.keyboard.press("Escape")
    dialog.until_pill("Ann")
    assert agent.conversation(shop).state == "open"
    dialog.pill.click()
    expect(dialog.field).to_have_value("a draft")


def test_everything_goes_by_keyboard(shop, page, agent):
    dialog = invited(shop, page, agent)
    page.locator("body > button").focus()
    names = [_tab(page) for _ in range(4)]
    assert names == ["Minimise", "Messages", "Chat", "No, thanks"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    dialog.until_lines("Can I help?", "by keyboard")
    shop.until(lambda: agent.conversation(shop).state == "open")
    assert _tab(page) == "Send"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert _focused(page) == "End"
    page.keyboard.press("Enter")
    assert _focused(page) == "Keep chatting"
    page.keyboard.press("Shift+Tab")
    assert _focused(page) == "End chat"
    page.keyboard.press("Enter")
    assert _focused(page) == "Close"
    page.keyboard.press("Enter")
    dialog.until_gone()
    shop.until(lambda: agent.conversation(shop).state == "ended")


def test_focus_is_visible(shop, page, agent):
    dialog = invited(shop, page, agent)
    page.locator("body > button").focus()
    for _ in range(4):
        _tab(page)
        width = page.evaluate(
            "parseFloat(getComputedStyle(document.activeElement.shadowRoot.activeElement).outlineWidth)"
        )
        assert width >= 2
    dialog.button("Chat").click()
    expect(dialog.field).to_be_focused()


def test_shortcuts_of_the_page_do_not_get_what_is_typed(shop, page, agent):
    shop.head = """<script>
        window.heard = [];
        for (const name of ['keydown', 'keypress', 'keyup'])
            document.addEventListener(name, event => heard.push(event.key));
    </script>"""
    dialog, _ = chatting(shop, page, agent)
    dialog.say("s/?")
    dialog.until_lines("Can I help?", "s/?")
    assert page.evaluate("heard") == []


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_visitor_can_write_beside_a_focus_trap(shop, page, agent, trap):
    shop.head = TRAP % trap
    dialog = invited(shop, page, agent)
    page.evaluate("trap()")
    assert page.evaluate("document.activeElement.id") == "inside"
    dialog.button("Chat").click()
    dialog.field.click()
    page.keyboard.type("I can write")
    page.keyboard.press("Enter")
    dialog.until_lines("Can I help?", "I can write")
    shop.until(lambda: agent.conversation(shop).state == "open")
    expect(dialog.field).to_be_focused()
    page.keyboard.press("Tab")
    assert _focused(page) == "Send"
    page.locator("#next").focus()
    assert page.evaluate("document.activeElement.id") == "inside", "the trap still works"


def test_screen_readers_get_names_and_roles(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    expect(dialog.element).to_match_aria_snapshot("""
        - dialog "Ann":
          - text: Ann
          - button "Minimise": –
          - button "End"
          - log "Messages":
            - text: Ann Can I help?
            - time: /\\d+:\\d+ [AP]M/
            - text: You Hello
            - time: /\\d+:\\d+ [AP]M/
            - text: Ann Hello again
            - time: /\\d+:\\d+ [AP]M/
          - status
          - textbox "Message":
            - /placeholder: Write a message
          - button "Send"
    """)
    assert dialog.log.get_attribute("aria-live") == "polite"
    dialog.button("Minimise").click()
    agent.say(conversation, "Still there?")
    expect(dialog.element.get_by_role("button", name="Ann 1 new")).to_be_visible()


def test_log_is_known_to_screen_readers_before_the_invitation_is_in_it(shop, page, agent):
    shop.head = """<script>
        window.changes = [];
        new MutationObserver(() => {
            const log = document.querySelector('visitor-monitor-chat')?.shadowRoot.querySelector('.log');
            if (log && !window.seen) {
                window.seen = performance.now();
                changes.push(log.children.length);
                new MutationObserver(() => changes.push(performance.now() - seen))
                    .observe(log, {childList: true});
            }
        }).observe(document.documentElement, {childList: true});
    </script>"""
    invited(shop, page, agent)
    empty, wait = page.evaluate("changes")[:2]
    assert empty == 0
    assert wait >= 90


# The page


@pytest.mark.parametrize(("hide", "show"), HIDDEN.values(), ids=HIDDEN)
def test_invitation_is_not_shown_before_it_can_be_seen_and_used(shop, page, agent, hide, show):
    shop.head = "<style id=hiding></style>"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<dialog>First this</dialog>')")
    page.evaluate(IN_FULL_SCREEN) if "Fullscreen" in hide else page.evaluate(hide)
    agent.invite(shop)
    until_beacon_brings(shop, page, lambda: _is_drawn(page))
    page.wait_for_timeout(1_200)  # the dialog looks twice a second
    assert agent.conversation(shop).state == "delivered"
    page.evaluate(show)
    shop.until(lambda: agent.conversation(shop).state == "shown")
    Dialog(page).button("Chat").click()
    shop.until(lambda: agent.conversation(shop).state == "open")


def test_message_under_a_modal_is_not_read(shop, page, agent):
    dialog, conversation = chatting(shop, page, agent)
    shop.until(lambda: agent.conversation(shop).visitor_read == 1)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<dialog>First this</dialog>')")
    page.evaluate("document.querySelector('dialog').showModal()")
    agent.say(conversation, "Hello?")
    dialog.until_lines("Can I help?", "Hello?")
    page.wait_for_timeout(1_200)  # the dialog looks twice a second
    assert agent.conversation(shop).visitor_read == 1
    page.keyboard.press("Escape")
    shop.until(lambda: agent.conversation(shop).visitor_read == 2)


def test_page_does_not_move(shop, page, agent):
    shop.head = SHIFTS
    agent.show_button(shop)
    dialog = invited(shop, page, agent)
    dialog.until_visible()  # the button may be there before the invitation
    page.wait_for_timeout(300)
    assert page.evaluate("shifts") == []
    dialog.button("Chat").click()
    conversation = agent.conversation(shop)
    shop.until(lambda: agent.conversation(shop).state == "open")
    page.evaluate(
        "shifts = []"
    )  # what a visitor's click moves is not a shift; a slow machine sees one
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    before = page.evaluate(size)
    for number in range(12):
        agent.say(conversation, f"A message that is long enough for two lines, number {number}")
    expect(dialog.lines).to_have_count(13)
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    agent.end(conversation)
    dialog.until_note("This chat has ended.")
    page.wait_for_timeout(300)
    assert page.evaluate("shifts") == []
    assert page.evaluate(size) == before


def test_last_of_the_body_stays_the_last(shop, page, agent):
    invited(shop, page, agent)
    assert page.evaluate("document.body.lastElementChild.localName") == "p"


def test_page_that_removes_the_dialog_gets_it_again(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    page.evaluate("document.querySelector('visitor-monitor-chat').remove()")
    dialog.until_visible()
    dialog.until_lines("Can I help?")


def test_styles_of_the_page_do_not_reach_it(shop, page, agent):
    shop.head = """<style>
        * { font-size: 40px !important; color: red !important; display: block; letter-spacing: 9px;
            text-transform: uppercase; direction: ltr; visibility: visible }
        button, div, textarea { position: static !important; background: red !important }
    </style>"""
    dialog, _ = chatting(shop, page, agent)
    style = dialog.button("Send").evaluate(
        "node => { const {fontSize, color, textTransform} = getComputedStyle(node);"
        " return [fontSize, color, textTransform] }"
    )
    assert style == ["16px", "rgb(255, 255, 255)", "none"]


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_it_is_inside_the_window(shop, make_context, agent, width):
    context = make_context(viewport={"width": width, "height": 640})
    page = context.new_page()
    dialog, conversation = chatting(shop, page, agent)
    agent.say(conversation, "x" * 400)
    expect(dialog.lines).to_have_count(2)
    box = dialog.card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 100
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 640
    assert dialog.log.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_right_to_left_page_keeps_our_words_and_turns_each_message(shop, page, agent, collector):
    shop.head = "<script>document.documentElement.dir = 'rtl'</script>"
    agent = type(agent)(collector.database, "אבי")
    dialog, conversation = chatting(shop, page, agent)
    agent.say(conversation, "יש לכם תה ירוק?\nGreen tea!")
    dialog.say("כן!")
    dialog.until_lines("Can I help?", "יש לכם תה ירוק?\nGreen tea!", "כן!")
    ends = "node => [node.getBoundingClientRect().left, node.getBoundingClientRect().right]"
    bubbles = [dialog.log.locator(".line").nth(number).evaluate(ends) for number in range(3)]
    left, right = dialog.log.evaluate(ends)
    assert [bubbles[0][0], bubbles[1][0], bubbles[2][1]] == [left, left, right]
    lines = dialog.lines
    assert lines.nth(0).evaluate(ORDER, ["C", "?"]) == "left to right"
    assert lines.nth(1).evaluate(ORDER, ["ש", "ק"]) == "right to left"
    assert lines.nth(1).evaluate(ORDER, ["ש", "?"]) == "right to left"
    assert lines.nth(1).evaluate(ORDER, ["G", "!"]) == "left to right"
    dialog.field.fill("תודה!")
    assert dialog.field.evaluate("node => getComputedStyle(node).direction") == "rtl"
    dialog.button("End").click()
    dialog.until_note("End this chat?")
    assert dialog.note.evaluate(ORDER, ["E", "?"]) == "left to right"
    dialog.button("Minimise").click()
    agent.say(conversation, "?")
    dialog.until_pill("אבי 1 new")
    assert dialog.pill.evaluate(ORDER, ["א", "1"]) == "left to right"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    agent.close()


ORDER = """(node, letters) => {
    const nodes = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    const places = letters.map((letter) => {
        nodes.currentNode = node;
        while (nodes.nextNode()) {
            const at = nodes.currentNode.data.lastIndexOf(letter);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(nodes.currentNode, at);
            range.setEnd(nodes.currentNode, at + 1);
            return range.getBoundingClientRect().left;
        }
    });
    return places[0] < places[1] ? 'left to right' : 'right to left';
}"""
"""How the second letter lies to the first."""


def test_strict_policy_and_trusted_types(shop, page, agent):
    shop.head = REPORTS
    shop.attributes = 'nonce="n0nce"'
    shop.headers["Content-Security-Policy"] = POLICY.format(shop.gate.url)
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    dialog.button("Minimise").click()
    dialog.pill.click()
    assert dialog.card.evaluate("node => getComputedStyle(node).position") == "fixed"
    assert page.evaluate("violations") == []


@pytest.mark.parametrize(
    "script",
    [
        "Array.prototype.toJSON = function () { return '[' + this.join() + ']' }",
        "Array.from = iterable => [].slice.call(iterable)",
        "Object.prototype.extra = function () {}; Array.prototype.extra = 1",
        "var history = history; const name2 = 3, close = 4, take = 5, words = 6; window.self = null",
        "delete window.crypto.randomUUID; AbortSignal.timeout = undefined",
        "CSSStyleSheet.prototype.replaceSync = undefined",
        "window.BroadcastChannel = undefined",
        "delete Navigator.prototype.locks",
        "var URL = '/shop/', Blob = 1, AbortSignal = null, AbortController = 'no'",
        "document.write('<form name=hidden></form><img name=title>')",
    ],
    ids=[
        *("toJSON", "from", "prototypes", "names", "old", "no sheets", "no channel", "no locks"),
        *("variables", "elements"),
    ],
)
def test_pages_that_change_the_language(shop, page, agent, script):
    shop.head = f"<script>{script}</script>"
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    assert dialog.card.evaluate("node => getComputedStyle(node).position") == "fixed"


@pytest.mark.parametrize(
    "script",
    [
        "Array.prototype.toJSON = function () { return '[' + this.join() + ']' }",
        "for (const {prototype} of [Array, String, Number, Object]) prototype.toJSON = () => 'no'",
        "JSON = {encode() {}, decode() {}}",
        "JSON = {stringify: value => '(' + value + ')', parse: () => null}",
    ],
    ids=["Prototype.js", "toJSONs", "no JSON", "other JSON"],
)
def test_conversation_goes_on_at_the_next_page_where_json_is_changed(shop, page, agent, script):
    shop.head = f"<script>{script}</script>"
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, 'She said "no" \\…')
    shop.set_chat_fault(refuse)
    dialog.say("Hello")
    dialog.until_note("Not sent yet. It will be tried again.")
    page.goto(shop.url("/p2"))
    shop.set_chat_fault(None)
    shop.until(lambda: texts(shop)[-1] == "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", 'She said "no" \\…', "Hello", "Hello again")
    assert "undefined" not in {passage.chat for passage in shop.chats()}


def test_tag_twice_is_one_dialog(shop, page, agent):
    shop.pages["/p1"] = "<html lang=en><title>Twice</title>{tag}{tag}<h1>Twice</h1></html>"
    invited(shop, page, agent)
    assert page.locator("visitor-monitor-chat").count() == 1


def test_nothing_is_left_of_it_in_print(shop, page, agent):
    dialog = invited(shop, page, agent)
    page.emulate_media(media="print")
    expect(dialog.card).to_be_hidden()


# Text is text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_of_both_sides_is_text(shop, page, agent, text):
    dialog, conversation = chatting(shop, page, agent)
    message = agent.say(conversation, text)
    expect(dialog.lines).to_have_text(["Can I help?", message.text], use_inner_text=False)
    dialog.field.fill(text)
    dialog.field.press("Enter")
    shop.until(lambda: len(_messages(shop)) == 3)
    page.reload()
    stored = [row["text"] for row in _messages(shop)]
    shop.until(lambda: dialog.lines.all_text_contents() == stored)
    assert page.evaluate("window.hacked") is None
    assert dialog.log.evaluate("node => node.querySelectorAll('.line *').length") == 9
    assert dialog.log.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_link_of_either_side_is_followed_into_another_tab(shop, page, agent):
    shop.head = REPORTS
    shop.attributes = 'nonce="n0nce"'
    shop.headers["Content-Security-Policy"] = POLICY.format(shop.gate.url)
    dialog, conversation = chatting(shop, page, agent)
    link = shop.url("/p2?from=chat")
    say(shop, dialog, f"I mean {link}.")
    agent.say(conversation, f"This one: {link}\n(https://bank.example@evil.example)")
    dialog.until_lines(
        "Can I help?",
        f"I mean {link}.",
        f"This one: {link}\n(https://bank.example@evil.example)",
    )
    links = dialog.log.get_by_role("link")
    expect(links).to_have_text([link, link])
    for number in range(2):
        with page.context.expect_page() as opened:
            links.nth(number).click()
        assert opened.value.url == link
        assert opened.value.evaluate("[opener, document.referrer]") == [None, ""]
    assert page.url == shop.url("/p1")
    assert page.evaluate("violations") == []


def test_half_an_emoji_is_not_sent(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.field.evaluate("node => { node.value = 'half \\ud83d' }")
    dialog.field.press("Enter")
    shop.until(lambda: [row["text"] for row in _messages(shop)][1:] == ["half"])


def test_paste_that_is_too_long_says_so_and_is_kept(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.field.press_sequentially("y")
    page.keyboard.insert_text("😀" * 1_998 + "xyz")
    dialog.until_note("Characters too many: 2")
    expect(dialog.field).to_have_accessible_description("Characters too many: 2")
    expect(dialog.button("Send")).to_be_disabled()
    dialog.field.press("Enter")
    expect(dialog.field).to_have_value("y" + "😀" * 1_998 + "xyz")
    dialog.field.press("Backspace")
    dialog.until_note("Characters too many: 1")
    dialog.field.press("Backspace")
    dialog.until_note("")
    dialog.button("Send").click()
    text = "y" + "😀" * 1_998 + "x"
    shop.until(lambda: [row["text"] for row in _messages(shop)][1:] == [text])


# What the visitor does not want


def test_opt_out_removes_it_within_a_second(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    page.evaluate("visitorMonitor('optOut')")
    page.evaluate("Promise.resolve()")
    assert page.evaluate("Object.keys(sessionStorage)") == []
    dialog.element.wait_for(state="detached", timeout=1_000)
    shop.until(lambda: agent.conversation(shop).closed_by == "opt_out")
    requests = len(shop.chats())
    page.wait_for_timeout(1_000)
    assert len(shop.chats()) == requests
    assert page.evaluate("Object.keys(localStorage)") == ["vm-off"]
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_opt_out_in_one_tab_removes_it_in_the_other(shop, context, agent):
    one, two = context.new_page(), context.new_page()
    chatting(shop, one, agent)
    two.goto(shop.url("/p2"))
    Dialog(two).until_visible()
    one.evaluate("visitorMonitor('optOut')")
    Dialog(two).element.wait_for(state="detached", timeout=1_000)
    shop.until(lambda: agent.conversation(shop).closed_by == "opt_out")


@pytest.mark.parametrize(
    ("call", "closed_by"), [("'consent', false", "consent"), ("'optOut'", "opt_out")]
)
def test_refusal_at_the_start_of_the_next_page_ends_it_and_leaves_nothing(
    shop, page, agent, call, closed_by
):
    """As a consent tool does that loads the page again: nothing of the chat is loaded yet."""
    chatting(shop, page, agent)
    shop.head = f"""<script>window.visitorMonitor = function () {{
        (visitorMonitor.q = visitorMonitor.q || []).push(arguments) }};
        visitorMonitor({call})</script>"""
    page.goto(shop.url("/p2"))
    shop.until(lambda: agent.conversation(shop).closed_by == closed_by)
    kept = page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))")
    assert kept == (["vm-off"] if closed_by == "opt_out" else [])


@pytest.mark.parametrize("is_accepted", [True, False])
def test_agent_reads_that_consent_was_withdrawn(shop, page, agent, is_accepted):
    if is_accepted:
        chatting(shop, page, agent)
    else:
        invited(shop, page, agent)
    page.evaluate("visitorMonitor('consent', false)")
    ended = shop.until(lambda: (row := agent.conversation(shop)).closed_at and row)
    assert ended.closed_by == "consent"
    assert ended.state == ("ended" if is_accepted else "expired")
    assert end_text(ended, "Ann").endswith("because the visitor has withdrawn their consent")


def test_consent_that_is_withdrawn_and_given_again_at_once_ends_it(shop, page, agent):
    chatting(shop, page, agent)
    page.evaluate("visitorMonitor('consent', false); visitorMonitor('consent', true)")
    ended = shop.until(lambda: (row := agent.conversation(shop)).closed_at and row)
    assert ended.closed_by == "consent"
    Dialog(page).until_gone()


def test_consent_withdrawn_removes_it_and_a_new_visit_may_be_invited(shop, page, agent):
    chatting(shop, page, agent)
    page.evaluate("visitorMonitor('consent', false)")
    dialog = Dialog(page)
    dialog.element.wait_for(state="detached", timeout=1_000)
    assert page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []


@pytest.mark.parametrize("mode", ["none", "gpc"])
def test_without_storage_it_works_on_the_page(shop, make_context, agent, mode):
    context = make_context(extra_http_headers={"Sec-GPC": "1"} if mode == "gpc" else {})
    if mode == "gpc":
        context.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
        )
    else:
        shop.attributes = 'data-storage="none"'
    page = context.new_page()
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    page.evaluate("history.pushState({}, '', '/p2')")
    dialog.button("Minimise").click()
    agent.say(conversation, "one more")
    dialog.until_pill("Ann 1 new")
    assert page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []


def test_without_storage_the_next_page_ends_it(shop, page, agent):
    shop.attributes = 'data-storage="none"'
    chatting(shop, page, agent)
    page.goto(shop.url("/p2"))
    shop.until(lambda: agent.conversation(shop).closed_by == "page")
    assert shop.visit()["chat_source"] == ""


def test_two_visitors_behind_one_address_have_each_their_own_chat(shop, make_context, agent):
    """Their browsers store nothing, so they are one visit: neither sees what the other says."""
    shop.attributes = 'data-storage="none"'
    agent.show_button(shop)
    dialogs, conversations = [], []
    for name in ("one", "other"):
        page = make_context().new_page()
        page.goto(shop.url("/p1"))
        dialog = Dialog(page)
        until_offered(shop, page, dialog)
        dialog.pill.click()
        dialog.say(f"I am the {name}")
        shop.until(lambda: len(_conversations(shop)) == len(dialogs) + 1)
        conversations.append(agent.conversation(shop))
        dialogs.append(dialog)
    assert shop.visit()["chat_source"] == "built_in"
    for conversation, name in zip(conversations, ("one", "other"), strict=True):
        agent.say(conversation, f"For the {name}")
    dialogs[0].until_lines("I am the one", "For the one")
    dialogs[1].until_lines("I am the other", "For the other")
    dialogs[0].page.goto(shop.url("/p2"))
    shop.until(lambda: [row["closed_by"] for row in _conversations(shop)] == ["page", ""])
    assert shop.visit()["chat_source"] == "built_in"
    dialogs[1].say("Still here")
    dialogs[1].until_lines("I am the other", "For the other", "Still here")


def test_token_is_in_no_address_and_goes_without_cookies(shop, page, agent):
    _, conversation = chatting(shop, page, agent)
    requests = shop.chats()
    assert all(conversation.token not in passage.path for passage in requests)
    assert all("cookie" not in passage.headers for passage in requests)
    assert {passage.method for passage in requests} == {"POST"}


# Light and dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_four_and_a_half(shop, make_context, agent, scheme):
    page = make_context(color_scheme=scheme).new_page()
    dialog, conversation = chatting(shop, page, agent)
    dialog.say("mine")
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    page.wait_for_timeout(400)  # it fades in
    measured = dialog.element.evaluate(CONTRASTS)
    assert len(measured) >= 7
    assert {text: ratio for text, ratio in measured.items() if ratio < 4.5} == {}
    dialog.button("Minimise").click()
    agent.say(conversation, "new")
    dialog.until_pill("Ann 1 new")
    page.wait_for_timeout(400)  # it fades in
    measured = dialog.element.evaluate(CONTRASTS)
    assert {text: ratio for text, ratio in measured.items() if ratio < 4.5} == {}


def test_sides_differ_also_in_forced_colours(shop, make_context, agent):
    page = make_context(forced_colors="active").new_page()
    dialog, _ = chatting(shop, page, agent)
    dialog.say("mine")
    dialog.until_lines("Can I help?", "mine")
    border = """node => { const {borderTopStyle, borderTopWidth, borderTopColor, backgroundColor} =
        getComputedStyle(node);
        return [borderTopStyle, parseFloat(borderTopWidth) > 0, borderTopColor !== backgroundColor] }"""
    bubbles = [dialog.log.locator(".line").nth(number).evaluate(border) for number in range(2)]
    assert bubbles == [["solid", True, True], ["double", True, True]]


@pytest.mark.parametrize("width, height", [(320, 256), (480, 256), (640, 320)])
def test_enlarged_four_times_it_leaves_room_to_read(shop, make_context, agent, width, height):
    page = make_context(viewport={"width": width, "height": height}).new_page()
    dialog, conversation = chatting(shop, page, agent)
    for number in range(6):
        agent.say(conversation, f"A message that is long enough for two lines, number {number}")
    expect(dialog.lines).to_have_count(7)
    dialog.field.fill("five\nlines\nof\na\ndraft")
    agent.type(conversation)
    dialog.until_note("Ann is typing")
    inside = page.viewport_size
    for part in (dialog.card, dialog.field, dialog.button("Send"), dialog.button("End")):
        box = part.bounding_box()
        assert inside and box and box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert dialog.log.evaluate("node => node.clientHeight") >= 90, "four lines"
    assert dialog.log.evaluate("node => node.scrollWidth <= node.clientWidth")


CONTRASTS = """(element) => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const paint = (colors) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const [color, opacity] of colors) {
            canvas.globalAlpha = opacity;
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
        }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = {};
    for (const node of element.shadowRoot.querySelectorAll('*')) {
        const text = [...node.childNodes].find((child) => child.nodeType === 3)?.data || node.placeholder;
        const isClipped = node.closest('.off') || (node.closest('.card') && !node.closest('.on'));
        if (!text?.trim() || !node.checkVisibility() || isClipped) continue;
        const behind = [];
        let opacity = 1;
        for (let up = node; up?.nodeType === 1; up = up.parentNode) {
            const style = getComputedStyle(up);
            behind.unshift([style.backgroundColor, 1]);
            opacity *= style.opacity;
        }
        const isHint = node.placeholder;
        const style = getComputedStyle(node, isHint ? '::placeholder' : null);
        if (isHint) opacity *= style.opacity;
        const back = light(paint(behind));
        const front = light(paint([...behind, [style.color, opacity]]));
        found[text] = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    }
    return found;
}"""


def _tab(page):
    page.keyboard.press("Tab")
    return _focused(page)


def _focused(page):
    """The name of what has the focus inside the dialog."""
    return page.evaluate(
        """() => {
            const node = document.activeElement.shadowRoot?.activeElement;
            return node && (node.getAttribute('aria-label') || node.title || node.textContent);
        }"""
    )


def _is_drawn(page):
    """Whether the invitation is in the dialog, whatever lies over it."""
    return page.evaluate(
        "!!document.querySelector('visitor-monitor-chat')?.shadowRoot.querySelector('.on .line')"
    )


def _messages(shop):
    return shop.rows("SELECT * FROM message WHERE site_id = :site ORDER BY number")


def _conversations(shop):
    return shop.rows("SELECT * FROM conversation WHERE site_id = :site ORDER BY created_at")
