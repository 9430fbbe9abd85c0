"""The path of the public address (MONITOR_PUBLIC_URL), which some proxies take off and some do not."""

from __future__ import annotations

from urllib.parse import unquote

from httptools import parse_url
from starlette.types import Scope


def at_root(scope: Scope, public_path: str) -> Scope:
    """The request as from a proxy that takes the path off; unchanged when its path does not begin with it."""
    if not public_path or scope["type"] != "http":
        return scope
    return {**scope, "path": path_at_root(scope["path"], public_path)}


def path_at_root(path: str, public_path: str) -> str:
    """The path without that of the public address; unchanged when it does not begin with it."""
    rest = path.removeprefix(public_path)
    return rest if rest.startswith("/") else path


def path_of_target(target: bytes) -> str:
    """The decoded path that a request line asks for. Raises HttpParserError for what is no address."""
    return unquote((parse_url(target).path or b"").decode("ascii"))
