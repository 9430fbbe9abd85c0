"""The components' scripts, as files that browsers keep.

A file's name has a hash of its content, so it never changes: browsers ask for it once. Each process
has its own files, made when it first draws the component.
"""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pages.server.access import guarded_get, refuse
from pages.server.base_path import below_base

KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
UNKNOWN = "There is no such script in this version: reload the page."

_files: dict[str, str] = {}


def publish_script(name: str, text: str) -> str:
    """The address of the script, relative to that of any page."""
    file = f"{name}-{sha256(text.encode()).hexdigest()[:16]}.js"
    _files[file] = text
    return f"scripts/{file}"


def script_routes() -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    return [Route(below_base("/scripts/{file}"), guarded_get(_send))]


async def _send(request: Request) -> Response:
    text = _files.get(request.path_params["file"])
    if text is None:
        return refuse(404, UNKNOWN)
    return Response(text, media_type="text/javascript", headers=KEPT)
