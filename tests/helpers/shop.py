"""The websites under test: each test has its own, on an origin of its own, with its own site key."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.helpers.network_gate import Fault, NetworkGate, Passage, serving

WITHIN = 20.0
"""Seconds within which an awaited condition must hold."""

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page {path}</title>
{head}
{tag}
</head><body><h1>{path}</h1><a id="next" href="/next">next</a><button>press</button>
%s</body></html>""" % ("<p>tall</p>" * 60)

ABANDONED = """<script>
    const plain = window.fetch;
    const abandoned = [];
    let isLeaving = false;
    window.fetch = (url, init) =>
        isLeaving ? new Promise(() => abandoned.push(url)) : plain(url, init);
    addEventListener('pagehide', () => (isLeaving = true));
    addEventListener('pageshow', () => (isLeaving = false));
</script>"""
"""Markup for `head`: what a page begins to send while it is left never settles, as in Firefox for a
page that is kept for Back."""


@dataclass
class Shop:
    """A website and what the database knows of it.

    attributes: of its script tag. head: more markup before the tag. headers: of every page.
    pages: HTML by path, in which {tag} stands for the tag; other paths get a plain page.
    """

    key: str
    origin: str
    gate: NetworkGate
    database: Path
    attributes: str = ""
    head: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def script(self) -> str:
        return f"{self.gate.url}/embed/visitor-monitor.js"

    @property
    def tag(self) -> str:
        return (
            f'<script async src="{self.script}" data-site="{self.key}" {self.attributes}></script>'
        )

    def url(self, path: str) -> str:
        return self.origin + path

    def page(self, path: str) -> str:
        """The HTML at the path."""
        bare = path.partition("?")[0]
        markup = self.pages.get(path) or self.pages.get(bare) or _PAGE
        parts = {
            "{path}": bare,
            "{head}": self.head,
            "{tag}": self.tag,
            "{gate}": self.gate.url,
            "{key}": self.key,
        }
        for name, text in parts.items():
            markup = markup.replace(name, text)
        return markup

    def set_fault(self, fault: Fault | None) -> None:
        """Set the fault of the gate for this shop's beacons; None: no fault."""
        if fault is None:
            self.gate.faults.pop(self.key, None)
        else:
            self.gate.faults[self.key] = fault

    def set_chat_fault(self, fault: Fault | None) -> None:
        """Set the fault for this shop's requests of the chat."""
        if fault is None:
            self.gate.chat_faults.pop(self.key, None)
        else:
            self.gate.chat_faults[self.key] = fault

    # What passed the gate

    def passages(self) -> list[Passage]:
        return [passage for passage in self.gate.passages if passage.shop == self.key]

    def beacons(self) -> list[dict[str, Any]]:
        return [p.beacon for p in self.passages() if p.is_beacon]

    def chats(self, action: str = "") -> list[Passage]:
        """The requests of the chat: those of one action, or all but the calls that wait for an invitation."""
        found = [passage for passage in self.passages() if passage.chat]
        return [p for p in found if p.chat == action or (not action and p.chat != "listen")]

    def events(self, kinds: str = "vphci") -> list[dict[str, Any]]:
        return [event for b in self.beacons() for event in b["b"] if event["e"] in kinds]

    # What the database holds

    def rows(self, sql: str) -> list[sqlite3.Row]:
        """Rows of a query in which :site is this shop's id."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5) as db:
            db.row_factory = sqlite3.Row
            [site_id] = db.execute("SELECT id FROM site WHERE key = ?", (self.key,)).fetchone()
            rows = db.execute(sql, {"site": site_id}).fetchall()
        db.close()
        return rows

    def visits(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM visit WHERE site_id = :site ORDER BY started_at, rowid")

    def views(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM page_view WHERE site_id = :site ORDER BY viewed_at, number")

    def paths(self) -> list[str]:
        return [view["path"] for view in self.views()]

    def visit(self) -> sqlite3.Row:
        """The only visit."""
        [visit] = self.visits()
        return visit

    # Waiting

    def until_paths(self, *paths: str) -> None:
        """Wait until exactly these pages are stored."""
        until(lambda: sorted(self.paths()) == sorted(paths), lambda: f"{self.paths()} are stored")

    def until(self, holds: Callable[[], Any]) -> Any:
        return until(holds, lambda: f"{self.paths()} are stored, sent were {self.events()}")

    def until_event(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The count-th event of a kind, as soon as the collector has answered it."""

        def answered() -> list[dict[str, Any]]:
            done = [p.beacon for p in self.passages() if p.is_beacon and p.status]
            return [event for b in done for event in b["b"] if event["e"] == kind]

        return self.until(lambda: answered()[count - 1 : count])[0]


def until(holds: Callable[[], Any], explain: Callable[[], str], within: float = WITHIN) -> Any:
    """What `holds` returns as soon as it is true; fails after the deadline."""
    deadline = time.monotonic() + within
    while not (result := holds()):
        assert time.monotonic() < deadline, f"after {within} s: {explain()}"
        time.sleep(0.02)
    return result


@contextmanager
def open_shops(gate: NetworkGate, database: Path) -> Iterator[Callable[[str], Shop]]:
    """Run a web server of many shops; yields a function that makes one for a site key."""
    shops: dict[str, Shop] = {}

    class ShopHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shop = shops.get(self.headers["host"].partition(".")[0])
            is_file = self.path in ("/favicon.ico", "/robots.txt")
            body = b"" if shop is None or is_file else shop.page(self.path).encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in shop.headers.items() if shop else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(ShopHandler) as port:

        def make(key: str) -> Shop:
            shops[key] = Shop(key, f"http://{key}.localhost:{port}", gate, database)
            return shops[key]

        yield make
