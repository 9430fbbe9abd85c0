"""A thousand wrong passwords from many addresses at the real dashboard, and the right person among them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from time import perf_counter
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from pages.server.session_book import SESSION_COOKIE
from tests.helpers.event_loop import run
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database
from tests.helpers.signed_in import PASSWORD, make_account

pytestmark = [pytest.mark.timeout(240), pytest.mark.long]

FLOOD = 1_000
EMAIL = "ann@shop.example"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url, engine = make_database(tmp_path_factory.mktemp("flood"))
    make_account(engine, email=EMAIL)
    with running_dashboard(url, MONITOR_TRUSTED_PROXIES="127.0.0.1") as address:
        yield address


async def guess(dashboard: str, number: int) -> int:
    """The status of the answer to a wrong password, from an address of its own."""
    body = urlencode({"email": EMAIL, "password": f"guess {number}"})
    head = {
        "Host": urlsplit(dashboard).netloc,
        "Origin": dashboard,
        "X-Forwarded-For": f"198.51.{number % 100}.{number // 100}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": len(body),
        "Connection": "close",
    }
    lines = ["POST /sign-in HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(dashboard).port)
    writer.write("\r\n".join([*lines, "", body]).encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(maxsplit=2)[1])


def test_right_person_is_let_in_while_a_thousand_guess(dashboard: str) -> None:
    """Behind the flood they would wait for all that are checked before them, or be turned away."""
    form = {"email": EMAIL, "password": PASSWORD}

    async def story() -> tuple[httpx.Response, int, Counter[int], float]:
        options = {"base_url": dashboard, "headers": {"Origin": dashboard}, "timeout": 120}
        async with httpx.AsyncClient(**options) as owner:
            await owner.post("/sign-in", data=form)  # as they did on another day
            owner.cookies.delete(SESSION_COOKIE)
            flood = [asyncio.create_task(guess(dashboard, number)) for number in range(FLOOD)]
            await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
            began = perf_counter()
            answer = await owner.post("/sign-in", data=form)
            seconds = perf_counter() - began
            unanswered = sum(not task.done() for task in flood)
            return answer, unanswered, Counter(await asyncio.gather(*flood)), seconds

    answer, unanswered, answered, seconds = run(story())
    print(f"signed in after {seconds:.2f} s, {unanswered} guesses unanswered, {answered}")
    assert answer.status_code == 303 and SESSION_COOKIE in answer.cookies
    assert unanswered > 0
    assert set(answered) <= {401, 429} and answered[401] > 0
