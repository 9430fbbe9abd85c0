"""/embed/*: the scripts that a website loads, compressed beforehand and cached well."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.http.responses import PREFLIGHT_CORS
from core.settings import PROJECT_ROOT

EMBED = PROJECT_ROOT / "embed"
BUILT = EMBED / "dist"
VERSION_LENGTH = 12

_NAME = re.compile(r"[\w$]+(-[\w$]+)*\.js", re.ASCII)
_FOR_EVER = "public, max-age=31536000, immutable"
FOR_MINUTES = "public, max-age=300, stale-while-revalidate=86400"


class Asset(NamedTuple):
    """A file ready to be sent; its version changes with its content."""

    plain: bytes
    zipped: bytes
    version: str


def find_asset(name: str) -> Asset | None:
    """The script with this name: the built one, else its source; None when there is none."""
    if not _NAME.fullmatch(name):
        return None
    for folder in (BUILT, EMBED):
        path = folder / name
        if path.is_file():
            return _load(path, path.stat().st_mtime_ns)
    return None


async def send_asset(request: Request) -> Response:
    """A script. With ?v= its version it never changes, without it changes within minutes."""
    asset = find_asset(request.path_params["name"])
    if asset is None:
        return NOT_FOUND
    is_versioned = request.query_params.get("v") == asset.version
    return answer(request, asset, "text/javascript", _FOR_EVER if is_versioned else FOR_MINUTES)


def answer(request: Request, asset: Asset, media_type: str, caching: str) -> Response:
    """The asset, or that the browser has it; caching: the header Cache-Control."""
    is_zipped = _takes_gzip(request.headers.get("accept-encoding", ""))
    etag = f'"{asset.version}{"-gzip" if is_zipped else ""}"'
    headers = {
        **OPEN,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": caching,
    }
    if _is_known(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    if is_zipped:
        headers["Content-Encoding"] = "gzip"
    body = asset.zipped if is_zipped else asset.plain
    return Response(body, headers=headers, media_type=media_type)


async def send_preflight(_request: Request) -> Response:
    """Any header is allowed: a page's service worker may add some to what the script loads."""
    return Response(status_code=204, headers={**OPEN, **PREFLIGHT_CORS})


_GZIP = re.compile(r"\s*gzip\s*(;\s*q=(?P<weight>[\d.]+)\s*)?", re.IGNORECASE)
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Any page may load what is below /embed/, also one that isolates itself from other origins."""
NOT_FOUND = Response("Not found", 404, headers=OPEN, media_type="text/plain")
routes = [
    Route("/embed/{name}", send_asset),
    Route("/embed/{name}", send_preflight, methods=["OPTIONS"]),
]


@lru_cache(maxsize=64)
def _load(path: Path, _changed_at: int) -> Asset:
    return make_asset(path.read_bytes())


def make_asset(plain: bytes) -> Asset:
    """The bytes, ready to be sent."""
    zipped = gzip.compress(plain, 9, mtime=0)
    return Asset(plain, zipped, sha256(plain).hexdigest()[:VERSION_LENGTH])


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is named, and not with the weight 0: that refuses it (RFC 9110, 12.5.3)."""
    found = next(filter(None, map(_GZIP.fullmatch, accepted.split(","))), None)
    return found is not None and (found["weight"] or "1").strip("0.") != ""


def _is_known(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
