"""Cookies that somebody else has had: one that was stolen, and one that was planted before the sign-in.

The real process, asked over HTTP and by a real websocket.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pages.server.session_book import SESSION_COOKIE
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site
from tests.helpers.signed_in import PASSWORD, make_account

pytestmark = pytest.mark.timeout(240)

ANN, MALLORY = "ann@shop.example", "mallory@shop.example"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url, engine = make_database(tmp_path_factory.mktemp("cookies"))
    make_site(engine, key="tea")
    make_account(engine, "Ann", email=ANN)
    make_account(engine, "Mallory", email=MALLORY)
    with running_dashboard(url) as address:
        yield address


def sign_in(dashboard: str, email: str, planted: str = "") -> str:
    """The session that the dashboard gives to a browser, which may have brought a cookie."""
    form = {"email": email, "password": PASSWORD}
    answer = httpx.post(f"{dashboard}/sign-in", data=form, headers=_headers(dashboard, planted))
    assert answer.status_code == 303
    return answer.cookies[SESSION_COOKIE]


def sign_out(dashboard: str, cookie: str) -> None:
    answer = httpx.post(
        f"{dashboard}/sign-out", data={"from": "menu"}, headers=_headers(dashboard, cookie)
    )
    assert answer.status_code == 303


def ways_in(dashboard: str, cookie: str) -> list[int]:
    """What a page, a file and the websocket answer to this cookie."""
    headers = _headers(dashboard, cookie)
    paths = ("/", "/robots.txt")
    answers = [httpx.get(f"{dashboard}{path}", headers=headers).status_code for path in paths]
    try:
        with connect(
            f"{dashboard.replace('http', 'ws')}/_stcore/stream",
            additional_headers=headers,
            subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]
        ):
            return [*answers, 101]
    except InvalidStatus as refused:
        return [*answers, refused.response.status_code]


IN, OUT = [200, 200, 101], [401, 401, 403]


def test_stolen_cookie_is_worth_nothing_once_its_owner_has_signed_out(dashboard: str) -> None:
    stolen = sign_in(dashboard, ANN)
    assert ways_in(dashboard, stolen) == IN
    sign_out(dashboard, stolen)
    assert ways_in(dashboard, stolen) == OUT
    new = sign_in(dashboard, ANN, planted=stolen)
    assert ways_in(dashboard, new) == IN
    assert ways_in(dashboard, stolen) == OUT, "nor does it come back with its owner"


def test_signing_out_with_a_stolen_cookie_ends_no_other_session(dashboard: str) -> None:
    stolen, own = sign_in(dashboard, ANN), sign_in(dashboard, ANN)
    sign_out(dashboard, stolen)
    assert (ways_in(dashboard, stolen), ways_in(dashboard, own)) == (OUT, IN)


@pytest.mark.parametrize("kind", ["made up", "signed, and over", "a session of the stranger's"])
def test_cookie_that_was_planted_before_the_sign_in_never_becomes_the_session(
    dashboard: str, kind: str
) -> None:
    planted = "made-up.by-a-stranger" if kind == "made up" else sign_in(dashboard, MALLORY)
    if kind == "signed, and over":
        sign_out(dashboard, planted)
    own = sign_in(dashboard, ANN, planted)
    assert own != planted and own.partition(".")[0] != planted.partition(".")[0]
    assert (ways_in(dashboard, own), ways_in(dashboard, planted)) == (IN, OUT)


def _headers(dashboard: str, cookie: str) -> dict[str, str]:
    return {"Origin": dashboard, "Cookie": f"{SESSION_COOKIE}={cookie}"}
