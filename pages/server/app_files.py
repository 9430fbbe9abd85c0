"""What makes the dashboard an app on a phone or a desktop: its manifest, and its icons.

Browsers ask for them without a session, so the gate lets everybody have them; they are the same for all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pages.server.base_path import below_base

MANIFEST = "/app.webmanifest"
ICONS = {
    "/app-icon-192.png": ("icon-192.png", "192x192", "any"),
    "/app-icon-512.png": ("icon-512.png", "512x512", "any"),
    "/app-icon-maskable.png": ("icon-maskable-512.png", "512x512", "maskable"),
}
"""By their address: the file, its size, and what it is for. They are made of icon.svg."""

APP_FILES = (MANIFEST, *ICONS)
START = "/chats"
"""Where the app opens: who has it on a phone answers visitors."""

_FOLDER = Path(__file__).parents[1] / "static"
_KEPT = {"Cache-Control": "public, max-age=86400"}


def app_routes() -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    icons = [Route(below_base(path), _send_icon, methods=["GET"]) for path in ICONS]
    return [Route(below_base(MANIFEST), _send_manifest, methods=["GET"]), *icons]


def manifest() -> dict[str, Any]:
    """The manifest, of W3C's Web Application Manifest."""
    return {
        "name": "Visitor Monitor",
        "short_name": "Visitors",
        "id": below_base("/"),
        "start_url": below_base(START),
        "scope": below_base("/"),
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#3046c9",
        "icons": [
            {"src": below_base(path), "sizes": size, "type": "image/png", "purpose": purpose}
            for path, (_, size, purpose) in ICONS.items()
        ],
    }


async def _send_manifest(_request: Request) -> Response:
    return JSONResponse(manifest(), media_type="application/manifest+json", headers=_KEPT)


async def _send_icon(request: Request) -> Response:
    path = next(path for path in ICONS if request.url.path == below_base(path))
    return FileResponse(_FOLDER / ICONS[path][0], media_type="image/png", headers=_KEPT)
