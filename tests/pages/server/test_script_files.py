"""The components' scripts as files: their names change with their content, so browsers keep them."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette

from pages.server.gate import Gate
from pages.server.script_files import publish_script, script_routes
from tests.helpers.event_loop import run

pytestmark = pytest.mark.usefixtures("database")


def get(path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        dashboard = httpx.ASGITransport(Gate(Starlette(routes=script_routes())))
        async with httpx.AsyncClient(transport=dashboard, base_url="http://127.0.0.1") as browser:
            return await browser.get(f"/{path}", headers=headers)

    return run(ask())


def test_script_is_served_for_good_under_an_address_of_its_content() -> None:
    first, second = (publish_script("table", f"export const is = {is_}") for is_ in (1, 2))
    assert first != second
    assert first == publish_script("table", "export const is = 1")
    answer = get(first)
    assert answer.text == "export const is = 1"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_script_of_another_version_is_not_kept_in_mind() -> None:
    answer = get("scripts/table-0123456789abcdef.js")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_stranger_loads_it(headers: dict[str, str]) -> None:
    assert get(publish_script("table", "export {}"), **headers).status_code == 403
