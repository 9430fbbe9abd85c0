"""/embed/chat-LANGUAGE.json: what the visitor's dialog says in a language, and how a site's looks."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.http.assets import FOR_MINUTES, NOT_FOUND, Asset, answer, make_asset, send_preflight
from collector.site_cache import SiteCache
from core.chat.looks import payload_of
from core.chat.words import LANGUAGES
from core.tables import ChatLook

_EACH_TIME = "public, no-cache"
"""A browser asks whether what it has is still right: the owner's change is in force at once."""

_PATH = "/embed/chat-{language}.json"
_CACHED = 256
_encode = msgspec.json.Encoder().encode


def words_routes(site_cache: SiteCache) -> list[Route]:
    """The routes. With ?site=KEY the site's own texts and look are in it, else what is usual."""

    async def send_words(request: Request) -> Response:
        language = request.path_params["language"]
        if language not in LANGUAGES:
            return NOT_FOUND
        key = request.query_params.get("site", "")
        site = site_cache.find(key)
        look = site.look if site else ChatLook(site_id=0)
        asset = _load(language, _encode(look.model_dump(exclude={"site_id"})))
        return answer(request, asset, "application/json", _EACH_TIME if key else FOR_MINUTES)

    return [Route(_PATH, send_words), Route(_PATH, send_preflight, methods=["OPTIONS"])]


@lru_cache(maxsize=_CACHED)
def _load(language: str, look: bytes) -> Asset:
    """As it is sent; look: the site's, as JSON, so that sites that look alike share it."""
    return make_asset(
        _encode(payload_of(ChatLook(site_id=0, **msgspec.json.decode(look)), language))
    )
