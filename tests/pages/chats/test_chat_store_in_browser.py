"""What an agent's tab makes of what a stream sends: anything may come twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext

from pages.parts.chat import component

SOURCE = Path(component.__file__).with_name("client") / "chat_store.js"
TAKE = """(source) => {
  const ChatStore = new Function(`${source}; return ChatStore`)()
  const store = new ChatStore({})
  const spoken = []
  store.subscribe((event) => event.kind === "news" && spoken.push(event.spoken.length))
  const message = (id, n) => ({ site: "tea", id, n, author: "visitor" })
  for (const messages of [
    [message("one", 1)],
    [message("one", 1)],
    [message("one", 1), message("one", 2)],
    [message("two", 1)],
  ]) store.take({ messages })
  return spoken
}"""


def test_message_that_comes_again_is_no_news(make_context: Callable[..., BrowserContext]) -> None:
    page = make_context().new_page()
    source = SOURCE.read_text().replace("export ", "")
    assert page.evaluate(TAKE, source) == [1, 0, 1, 1]
