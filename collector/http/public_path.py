"""The path of the public address (MONITOR_PUBLIC_URL), which some proxies take off and some do not."""

from __future__ import annotations

from starlette.types import Scope


def at_root(scope: Scope, public_path: str) -> Scope:
    """The request as from a proxy that takes the path off; unchanged when its path does not begin with it."""
    if not public_path or scope["type"] != "http":
        return scope
    rest = scope["path"].removeprefix(public_path)
    return {**scope, "path": rest} if rest.startswith("/") else scope
