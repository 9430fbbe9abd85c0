"""What is a link in a message, on both sides: the same source draws both."""

from pathlib import Path

from playwright.sync_api import Page

from pages.parts.script import joined_script

SCRIPT = joined_script(Path(__file__).parents[3] / "embed/chat/text.js")
LINKS = {
    "https://shop.example": ["https://shop.example"],
    "see http://shop.example/tea?x[]=1&y=%20#top now": ["http://shop.example/tea?x[]=1&y=%20#top"],
    "HTTPS://Shop.Example:8443/Tea": ["HTTPS://Shop.Example:8443/Tea"],
    "http://localhost:8501/": ["http://localhost:8501/"],
    "https://a.example/1\nhttps://b.example/2": ["https://a.example/1", "https://b.example/2"],
    "javascript:https://a.example": ["https://a.example"],
    # where it ends
    "Is it https://a.example/x?": ["https://a.example/x"],
    "https://a.example, https://b.example/c.d;": ["https://a.example", "https://b.example/c.d"],
    "(https://a.example/x)": ["https://a.example/x"],
    "(https://a.example/wiki/Tea_(plant)).": ["https://a.example/wiki/Tea_(plant)"],
    "[tea](https://a.example/x)": ["https://a.example/x"],
    "**https://a.example/x**": ["https://a.example/x"],
    "<https://a.example/x>": ["https://a.example/x"],
    '"https://a.example/x" “https://b.example”': ["https://a.example/x", "https://b.example"],
    "请看https://a.example/茶，谢谢。": ["https://a.example/茶"],
    "https://a.example/x؟": ["https://a.example/x"],
    "https://a.example/x😀": ["https://a.example/x"],
    "https://a.example/x\u200f שלום": ["https://a.example/x"],
    # a name of any script, as typed
    "https://пример.example/корзина": ["https://пример.example/корзина"],
    "https://xn--e1afmkfd.example": ["https://xn--e1afmkfd.example"],
    "https://medium.example/@ann": ["https://medium.example/@ann"],
    "https://a.example/" + "x" * 1_982: ["https://a.example/" + "x" * 1_982],
    # hostile, or no link
    "https://bank.example@evil.example": [],
    "https://bank.example:443@evil.example/": [],
    "https://bank.example%40evil.example": [],
    "https://evil.example\u200b.bank.example": [],
    "https://evil.example/\u202emoc.knab": [],
    "https://evil.example/\u00adx": [],
    "https://bank.example\u3164.evil.example": [],
    "https://evil.example/\u034fx": [],
    "https://evil.example\u2215bank.example": ["https://evil.example"],
    "https://": [],
    "https://...": [],
    "https:// a.example": [],
    "https://)": [],
    "https:/a.example http:a.example //a.example": [],
    "xhttps://a.example": [],
    "shop.example www.shop.example ann@shop.example": [],
    "javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example": [],
    "<a href='javascript:alert(1)'>x</a> [x](javascript:alert(1))": [],
    "(" * 2_000 + ")" * 2_000: [],
    "https://" * 250: [],
}


def test_links_of_a_message(page: Page) -> None:
    found = page.evaluate(
        f"""(texts) => {{
            {SCRIPT}
            return texts.map((text) => {{
                const message = document.createElement('p');
                message.append(...withLinks(text));
                const links = [...message.querySelectorAll('a')];
                if (message.textContent !== text || links.some((a) => a.textContent !== a.getAttribute('href')))
                    return 'not as typed';
                if (links.some((a) => a.username || !a.hostname || !/^https?:$/.test(a.protocol)))
                    return 'leads elsewhere';
                return links.map((a) => a.textContent);
            }});
        }}""",
        list(LINKS),
    )
    assert dict(zip(LINKS, found, strict=True)) == LINKS
