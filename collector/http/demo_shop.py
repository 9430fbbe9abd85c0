"""/demo/: the demo shop, whose pages carry the real tag."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from core.settings import PROJECT_ROOT

DEMO = PROJECT_ROOT / "embed" / "demo"

_PUBLIC = {".html", ".css", ".js", ".svg", ".png", ".jpg", ".webp", ".ico", ".woff2"}
_LINK = re.compile(r'="/(?=demo|embed/)')
"""What begins an address of the collector in a page."""
_MISSING = ("404.html", "404")
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def find_page(path: str) -> Path | None:
    """The file of a path below /demo/: PATH, PATH.html or PATH/index.html; None when unknown."""
    path = path.strip("/")
    if path in _MISSING:
        return None
    for name in (path, f"{path}.html", f"{path}/index.html".lstrip("/")):
        if name in _files():
            return _files()[name]
    return None


def routes(public_path: str) -> list[Route]:
    """The shop at /demo/, its links below the path of the collector's public address."""

    async def send_page(request: Request) -> Response:
        return _page(find_page(request.path_params["path"]), public_path)

    async def send_home(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{public_path}/demo/{query}", status_code=307)

    return [Route("/demo", send_home), Route("/demo/{path:path}", send_page)]


def _page(path: Path | None, public_path: str) -> Response:
    """A page of the shop, or its own page that says there is none."""
    missing = _files().get(_MISSING[0])
    if path is None and missing is None:
        return Response("Not found", 404, media_type="text/plain")
    file, status = path or missing or DEMO, 200 if path else 404
    media_type = guess_type(file.name)[0] or "application/octet-stream"
    if public_path and media_type == "text/html":
        page = _LINK.sub(lambda _: f'="{escape(public_path)}/', file.read_text("utf-8"))
        return Response(page, status, headers=_HEADERS, media_type=media_type)
    return FileResponse(file, status, headers=_HEADERS, media_type=media_type)


@cache
def _files() -> dict[str, Path]:
    """Every public file by its path: nothing else can be requested."""
    return {
        str(path.relative_to(DEMO)): path
        for path in DEMO.rglob("*")
        if path.suffix in _PUBLIC and path.is_file() and "templates" not in path.parts
    }
