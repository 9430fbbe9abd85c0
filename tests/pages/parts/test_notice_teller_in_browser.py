"""What an agent's tab makes of notices: which are news to it, also when the server's clock is set back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext

from pages.parts.chat import component

SOURCE = Path(component.__file__).with_name("client") / "notice_teller.js"
TELL = """(source) => {
  const kept = {}
  const make = new Function("keepLocally", "keptLocally", `${source}; return NoticeTeller`)
  const NoticeTeller = make((name, text) => (kept[name] = text), (name) => kept[name])
  let clock = 2_000_000_000
  let begin
  const store = { revision: clock, now: () => clock, subscribe: (listener) => (begin = listener) }
  const teller = new NoticeTeller({ ring() {} }, store)
  teller.wanted = { kinds: ["returning"], minutes: 0, quiet_from: 0, quiet_until: 0, time_zone: "UTC" }
  const shown = []
  teller.show = ({ id }) => shown.push(id)
  const tell = (id, revision) => teller.tell([{ id, revision, kind: "returning", minutes: 0 }])
  begin({ kind: "whole" })
  tell("before the tab was opened", clock - 1)
  tell("after it", clock + 1)
  clock -= 3_600_000
  tell("after the clock was set back", clock)
  tell("after it", clock + 1)
  return shown
}"""


def test_news_is_told_once_also_after_the_clock_was_set_back(
    make_context: Callable[..., BrowserContext],
) -> None:
    page = make_context().new_page()
    source = re.sub(r"^(import .*$|export )", "", SOURCE.read_text(), flags=re.MULTILINE)
    assert page.evaluate(TELL, source) == ["after it", "after the clock was set back"]
