"""A page on another port of this machine, which tries whatever a page can at the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from playwright.sync_api import Page

from tests.helpers.network_gate import serving

ATTEMPTS = """
async ([dashboard, attempt]) => {
  const within = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, 8000, "nothing"))])
  const event = (target, names) =>
    within(new Promise((done) => names.forEach((name) => target.addEventListener(name, () => done(name)))))
  const read = async (options) => {
    try {
      const answer = await fetch(`${dashboard}/changes`, { credentials: "include", ...options })
      return `${answer.type} ${answer.status}`
    } catch (fault) {
      return fault.name
    }
  }
  const element = (name, values) => {
    const made = Object.assign(document.createElement(name), values)
    const loaded = event(made, ["load", "error"])
    document.body.append(made)
    return loaded
  }
  const attempts = {
    websocket: () =>
      event(new WebSocket(`${dashboard.replace("http", "ws")}/_stcore/stream`, ["streamlit"]), ["open", "error"]),
    stream: () => event(new EventSource(`${dashboard}/changes`, { withCredentials: true }), ["hello", "error"]),
    fetch: () => read({}),
    "fetch without CORS": () => read({ mode: "no-cors" }),
    script: () => element("script", { src: `${dashboard}/static/js/x.js` }),
    image: () => element("img", { src: `${dashboard}/favicon.png` }),
  }
  return attempts[attempt]()
}
"""


@contextmanager
def strange_page() -> Iterator[str]:
    """Its address; it is served for any Host."""

    class StrangeHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Another page</title><body>Hello")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(StrangeHandler) as port:
        yield f"http://127.0.0.1:{port}"


def attempt(page: Page, dashboard: str, name: str) -> str:
    """What came of it, in the page's own eyes."""
    return page.evaluate(ATTEMPTS, [dashboard, name])
