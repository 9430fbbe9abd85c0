"""The chat never harms the page or its visitor: focus, layout, policies, odd pages, hostile text."""

import pytest
from playwright.sync_api import expect

from tests.helpers.dialog import Dialog, chatting, invited, say, texts
from tests.helpers.network_gate import refuse

REPORTS = """<script nonce="n0nce">
    window.violations = [];
    addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective));
</script>"""
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
          - log "Messages": Ann Can I help? You Hello Ann Hello again
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


def test_strict_policy_and_trusted_types(shop, page, agent):
    shop.head = REPORTS
    shop.attributes = 'nonce="n0nce"'
    shop.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'strict-dynamic' 'nonce-n0nce';"
        f" connect-src {shop.gate.url}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
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
    assert dialog.log.evaluate("node => node.querySelectorAll('.line *').length") == 6
    assert dialog.log.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_half_an_emoji_is_not_sent(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.field.evaluate("node => { node.value = 'half \\ud83d' }")
    dialog.field.press("Enter")
    shop.until(lambda: [row["text"] for row in _messages(shop)][1:] == ["half"])


def test_message_is_cut_at_two_thousand_characters(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    dialog.field.press_sequentially("y")
    page.keyboard.insert_text("x" * 3_000)
    dialog.field.press("Enter")
    shop.until(lambda: [len(row["text"]) for row in _messages(shop)][1:] == [2_000])


# What the visitor does not want


def test_opt_out_removes_it_within_a_second(shop, page, agent):
    dialog, _ = chatting(shop, page, agent)
    page.evaluate("visitorMonitor('optOut')")
    page.evaluate("Promise.resolve()")
    assert page.evaluate("Object.keys(sessionStorage)") == []
    dialog.element.wait_for(state="detached", timeout=1_000)
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
    shop.until(lambda: agent.conversation(shop).closed_by == "visitor")
    assert shop.visit()["chat_source"] == ""


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


def _messages(shop):
    return shop.rows("SELECT * FROM message WHERE site_id = :site ORDER BY number")
