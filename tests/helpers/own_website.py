"""A website of the owner's own, to put a tag into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.helpers.network_gate import serving


@dataclass
class Website:
    """A website of one page, with a script tag once there is one."""

    host: str
    port: int
    snippet: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def own_website() -> Iterator[Website]:
    """Served on a port of its own."""

    class WebsiteHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            head = f"<title>Tea blog</title>{website.snippet}"
            self.wfile.write(f"<!doctype html>{head}<h1>First flush</h1>".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(WebsiteHandler) as port:
        website = Website("tea-blog.localhost", port)
        yield website
