"""Signing in by OpenID Connect, against an issuer that may lie."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from itsdangerous import TimestampSigner
from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlmodel import col
from starlette.applications import Starlette
from starlette.testclient import TestClient
from werkzeug.wrappers import Response as IssuerResponse

from core.accounts.accounts import list_accounts
from core.accounts.identity import Role
from core.accounts.provisioning import Denial
from core.database import reading
from core.settings import settings
from core.tables import Session
from pages.server.session_book import SESSION_COOKIE, latest_guests
from pages.sign_in.oidc import oidc_routes
from pages.sign_in.oidc_attempt import ATTEMPT_COOKIE, ATTEMPT_LASTS
from pages.sign_in.oidc_issuer import LEEWAY
from pages.sign_in.oidc_requests import LARGEST_ANSWER
from pages.sign_in.sign_in_fault import SignInFault
from tests.helpers.database_away import database_away
from tests.helpers.oidc_issuer import (
    CLIENT_ID,
    Claims,
    RunningIssuer,
    running_issuer,
    settings_for,
)
from tests.helpers.signed_in import make_account

HERE = "http://monitor.example"
DISCOVERY = "/.well-known/openid-configuration"
STRANGER_KEY = RSAKey.generate_key(2048)


class In(int):
    """Seconds from when the token is made."""


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[RunningIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(shared_issuer: RunningIssuer) -> RunningIssuer:
    shared_issuer.reset()
    return shared_issuer


@pytest.fixture
def configure(
    database: Any, issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    def configure(**others: str) -> None:
        named = {f"MONITOR_{name.upper()}": value for name, value in others.items()}
        for name, value in settings_for(issuer, **named).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    configure(oidc_allowed="@shop.example")
    make_account(database.engine, "Owner", password="")
    return configure


@pytest.fixture
def browser(configure: Any) -> Iterator[TestClient]:
    """A browser at a dashboard that has just been started."""
    with TestClient(Starlette(routes=oidc_routes()), HERE, follow_redirects=False) as client:
        yield client


def to_issuer(browser: TestClient, goes_to: str = "/") -> str:
    """Where the dashboard sends whoever wants to sign in."""
    answer = browser.get("/sign-in/oidc", params={"next": goes_to})
    assert answer.status_code == 303
    return answer.headers["location"]


def from_issuer(address: str, sub: str = "ann", **form: str) -> str:
    """Where the issuer sends the browser of whoever signs in there."""
    return httpx.post(address, data={"sub": sub, **form}).headers["location"]


def sign_in(browser: TestClient, sub: str = "ann", goes_to: str = "/") -> httpx.Response:
    """What the dashboard answers in the end."""
    return browser.get(from_issuer(to_issuer(browser, goes_to), sub))


def fault_of(answer: httpx.Response) -> str:
    """The fault that the sign-in page is to show; nobody is signed in by such an answer."""
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert address.path == "/sign-in"
    assert SESSION_COOKIE not in answer.cookies
    return parse_qs(address.query)["fault"][0]


def changed(said: Claims, claims: Claims) -> Claims:
    """What the token says when it says these claims; None: it does not say them."""
    now = int(time.time())
    return {
        name: now + value if isinstance(value, In) else value
        for name, value in (said | claims).items()
        if value is not None
    }


def accounts_of(database: Any) -> dict[str, Role]:
    with reading(database.engine) as db:
        return {account.agent.name: account.role for account in list_accounts(db)}


def sessions_of(database: Any) -> list[str]:
    with reading(database.engine) as db:
        return list(db.execute(select(col(Session.way))).scalars())


# ---- who gets in


def test_colleague_of_an_allowed_domain_gets_an_account_and_goes_on_to_where_they_wanted(
    database: Any, issuer: RunningIssuer, browser: TestClient
) -> None:
    issuer.person("ann", name="Ann Lee")
    answer = sign_in(browser, goes_to="/visitor?site=tea&visit=1")

    assert answer.headers["location"] == "/visitor?site=tea&visit=1"
    assert accounts_of(database) == {"Owner": Role.ADMIN, "Ann Lee": Role.AGENT}
    assert sessions_of(database) == ["oidc"]
    identity = latest_guests().identity_of({SESSION_COOKIE: browser.cookies[SESSION_COOKIE]})
    assert identity is not None
    assert identity.role is Role.AGENT
    cookie = answer.headers.get_list("set-cookie")[0].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_account_that_was_made_here_is_entered_by_its_verified_address(
    database: Any, issuer: RunningIssuer, browser: TestClient, configure: Any
) -> None:
    configure(oidc_allowed="")
    make_account(database.engine, "Annie", Role.VIEWER, email="ann@shop.example")
    issuer.person("ann")

    assert sign_in(browser).headers["location"] == "/"
    issuer.person("ann", email=None)
    assert sign_in(browser).headers["location"] == "/"
    assert accounts_of(database) == {"Owner": Role.ADMIN, "Annie": Role.VIEWER}


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        ({"email": "ann@other.example"}, Denial.NOT_ALLOWED),
        ({"email": "ann@eu.shop.example"}, Denial.NOT_ALLOWED),
        ({"email_verified": False}, Denial.UNVERIFIED),
        ({"email_verified": "false"}, Denial.UNVERIFIED),
        ({"email_verified": None}, Denial.UNVERIFIED),
        ({"email": None}, Denial.UNVERIFIED),
        ({"email": "no address"}, Denial.UNVERIFIED),
        ({"email": ["ann@shop.example"]}, Denial.UNVERIFIED),
    ],
)
def test_stranger_gets_neither_an_account_nor_a_session(
    database: Any, issuer: RunningIssuer, browser: TestClient, claims: Any, fault: Denial
) -> None:
    issuer.person("ann", **claims)

    assert fault_of(sign_in(browser)) == fault
    assert accounts_of(database) == {"Owner": Role.ADMIN}
    assert sessions_of(database) == []


@pytest.mark.parametrize(("said", "gets_in"), [(None, True), ("true", True), (False, False)])
def test_owner_may_trust_addresses_of_which_the_issuer_does_not_say_that_they_are_verified(
    issuer: RunningIssuer, browser: TestClient, configure: Any, said: Any, gets_in: bool
) -> None:
    configure(oidc_allowed="shop.example", oidc_trust_emails="on")
    issuer.person("ann", email_verified=said)

    assert (SESSION_COOKIE in sign_in(browser).cookies) is gets_in


@pytest.mark.parametrize(
    ("claim", "claims", "role"),
    [
        ("roles", {"roles": "viewer"}, Role.VIEWER),
        ("roles", {"roles": ["staff", "viewer", "Admin"]}, Role.ADMIN),
        ("realm_access.roles", {"realm_access": {"roles": ["agent"]}}, Role.AGENT),
        ("https://shop.example/roles", {"https://shop.example/roles": ["agent"]}, Role.AGENT),
        ("roles", {"roles": ["staff"]}, None),
        ("roles", {}, None),
        ("roles", {"roles": {"admin": True}}, None),
        ("realm_access.roles", {"realm_access": "admin"}, None),
    ],
)
def test_role_is_the_highest_that_the_claim_names(
    database: Any,
    issuer: RunningIssuer,
    browser: TestClient,
    configure: Any,
    claim: str,
    claims: Any,
    role: Role | None,
) -> None:
    configure(oidc_allowed="@shop.example", oidc_role_claim=claim)
    issuer.person("ann", **claims)
    answer = sign_in(browser)

    assert accounts_of(database).get("Ann") is role
    if role is None:
        assert fault_of(answer) == Denial.NO_ROLE


def test_role_that_changed_at_the_issuer_counts_from_the_next_sign_in(
    database: Any, issuer: RunningIssuer, browser: TestClient, configure: Any
) -> None:
    configure(oidc_allowed="@shop.example", oidc_role_claim="roles")
    roles = []
    for word in ("viewer", "admin", "agent"):
        issuer.person("ann", roles=[word])
        sign_in(browser)
        roles.append(accounts_of(database)["Ann"])
    issuer.person("ann", roles=[])

    assert roles == [Role.VIEWER, Role.ADMIN, Role.AGENT]
    assert fault_of(sign_in(browser)) == Denial.NO_ROLE


def test_issuer_whose_token_is_thin_is_asked_for_the_rest(
    database: Any, issuer: RunningIssuer, browser: TestClient
) -> None:
    issuer.person("ann")
    issuer.thin = True

    assert SESSION_COOKIE in sign_in(browser).cookies
    assert "Ann" in accounts_of(database)
    other = {"sub": "bob", "email": "bob@shop.example", "email_verified": True}
    issuer.say("/userinfo", other)
    assert fault_of(sign_in(browser)) == SignInFault.FORGED


@pytest.mark.parametrize(
    "goes_to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere(issuer: RunningIssuer, browser: TestClient, goes_to: str) -> None:
    issuer.person("ann")
    assert sign_in(browser, goes_to=goes_to).headers["location"] == "/"


def test_issuer_is_told_the_address_at_which_people_reach_the_dashboard(
    browser: TestClient, configure: Any
) -> None:
    def redirect_uri() -> str:
        return parse_qs(urlsplit(to_issuer(browser)).query)["redirect_uri"][0]

    assert redirect_uri() == f"{HERE}/sign-in/oidc/callback"
    configure(dashboard_url="https://shop.example/monitor/")
    assert redirect_uri() == "https://shop.example/monitor/sign-in/oidc/callback"
    assert "secure" in browser.get("/sign-in/oidc").headers["set-cookie"].lower()


def test_database_that_is_away_lets_nobody_in_and_is_said_to_be(
    database: Any, issuer: RunningIssuer, browser: TestClient
) -> None:
    issuer.person("ann")
    back = from_issuer(to_issuer(browser))
    with database_away(database.engine):
        answer = browser.get(back)

    assert fault_of(answer) == SignInFault.DATABASE_AWAY
    assert SESSION_COOKIE in sign_in(browser).cookies


# ---- what the issuer signs


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        ({"aud": "another"}, SignInFault.FORGED),
        ({"aud": "another", "azp": CLIENT_ID}, SignInFault.FORGED),
        ({"aud": None}, SignInFault.FORGED),
        ({"aud": [CLIENT_ID, "another"]}, SignInFault.FORGED),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, SignInFault.FORGED),
        ({"iss": "https://evil.example"}, SignInFault.FORGED),
        ({"nonce": "another"}, SignInFault.FORGED),
        ({"nonce": None}, SignInFault.FORGED),
        ({"sub": None}, SignInFault.FORGED),
        ({"sub": 7}, SignInFault.FORGED),
        ({"sub": "x" * 256}, SignInFault.FORGED),
        ({"at_hash": "another"}, SignInFault.FORGED),
        ({"exp": In(-LEEWAY - 60)}, SignInFault.CLOCK),
        ({"exp": None}, SignInFault.FORGED),
        ({"iat": In(LEEWAY + 600)}, SignInFault.CLOCK),
        ({"nbf": In(LEEWAY + 600)}, SignInFault.CLOCK),
    ],
)
def test_token_for_another_place_person_or_time_signs_nobody_in(
    database: Any, issuer: RunningIssuer, browser: TestClient, claims: Any, fault: SignInFault
) -> None:
    issuer.person("ann")
    issuer.change = lambda said: changed(said, claims)

    assert fault_of(sign_in(browser)) == fault
    assert sessions_of(database) == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"exp": In(-LEEWAY + 90)},
        {"iat": In(LEEWAY - 60)},
    ],
)
def test_token_within_what_the_standard_allows_signs_in(
    issuer: RunningIssuer, browser: TestClient, claims: Any
) -> None:
    issuer.person("ann")
    issuer.change = lambda said: changed(said, claims)

    assert SESSION_COOKIE in sign_in(browser).cookies


@pytest.mark.parametrize("forgery", ["another_key", "no_key", "clients_secret", "no_token"])
def test_token_that_the_issuer_has_not_signed_signs_nobody_in(
    database: Any, issuer: RunningIssuer, browser: TestClient, forgery: str
) -> None:
    issuer.person("ann")
    issuer.sign = {
        "another_key": lambda claims: issuer.signed(claims, STRANGER_KEY),
        "no_key": issuer.unsigned,
        "clients_secret": issuer.signed_by_secret,
        "no_token": lambda _: "",
    }[forgery]

    assert fault_of(sign_in(browser)) == SignInFault.FORGED
    assert sessions_of(database) == []


def test_issuer_may_change_its_key_at_any_time(issuer: RunningIssuer, browser: TestClient) -> None:
    issuer.person("ann")
    sign_in(browser)
    issuer.key = RSAKey.generate_key(2048, auto_kid=True)

    assert SESSION_COOKIE in sign_in(browser).cookies


# ---- whose sign-in it is


def test_answer_of_the_issuer_counts_in_the_browser_that_asked_and_once(
    database: Any, issuer: RunningIssuer, browser: TestClient
) -> None:
    issuer.person("ann")
    address = to_issuer(browser)
    cookie = browser.cookies[ATTEMPT_COOKIE]
    back = from_issuer(address)
    with TestClient(browser.app, HERE, follow_redirects=False) as another:
        assert fault_of(another.get(back)) == SignInFault.STALE
        to_issuer(another)
        assert fault_of(another.get(back)) == SignInFault.STALE

    assert SESSION_COOKIE in browser.get(back).cookies
    assert fault_of(browser.get(back)) == SignInFault.STALE
    browser.cookies.set(ATTEMPT_COOKIE, cookie, domain="monitor.example", path="/sign-in/oidc")
    assert fault_of(browser.get(back)) == SignInFault.STALE
    assert sessions_of(database) == ["oidc"]


def test_code_of_another_sign_in_is_not_taken(
    database: Any, issuer: RunningIssuer, browser: TestClient
) -> None:
    issuer.person("mallory")
    with TestClient(browser.app, HERE, follow_redirects=False) as another:
        code = parse_qs(urlsplit(from_issuer(to_issuer(another), "mallory")).query)["code"][0]
    state = parse_qs(urlsplit(to_issuer(browser)).query)["state"][0]

    answer = browser.get("/sign-in/oidc/callback", params={"code": code, "state": state})
    assert fault_of(answer) == SignInFault.STALE
    assert sessions_of(database) == []


def test_sign_in_that_took_too_long_is_begun_again(
    issuer: RunningIssuer, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.person("ann")
    back = from_issuer(to_issuer(browser))
    at = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: at(self) + ATTEMPT_LASTS + 1)

    assert fault_of(browser.get(back)) == SignInFault.STALE


def test_cookie_of_an_attempt_gives_nothing_away(
    issuer: RunningIssuer, browser: TestClient
) -> None:
    sent = parse_qs(urlsplit(to_issuer(browser)).query)
    answer = browser.get("/sign-in/oidc")
    cookie = answer.headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "path=/sign-in/oidc;" in cookie
    assert not any(sent[name][0].lower() in cookie for name in ("state", "nonce"))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"error": "access_denied"}, SignInFault.CANCELLED),
        ({"error": "<b>server_error</b>"}, SignInFault.MISCONFIGURED),
        ({"code": ""}, SignInFault.MISCONFIGURED),
        ({"code": "made-up"}, SignInFault.STALE),
        ({"code": "x", "iss": "https://evil.example"}, SignInFault.FORGED),
    ],
)
def test_answer_without_a_good_code_is_said_in_our_words(
    issuer: RunningIssuer, browser: TestClient, said: dict[str, str], fault: SignInFault
) -> None:
    state = parse_qs(urlsplit(to_issuer(browser, "/sites")).query)["state"][0]
    answer = browser.get("/sign-in/oidc/callback", params={"state": state, **said})

    assert fault_of(answer) == fault
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/sites"]
    assert "server_error" not in answer.headers["location"]


# ---- what may be wrong with the issuer


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (IssuerResponse("", 503), SignInFault.ISSUER_AWAY),
        (IssuerResponse("", 404), SignInFault.MISCONFIGURED),
        (IssuerResponse("<html>"), SignInFault.MISCONFIGURED),
        (IssuerResponse('{"issuer": "https://evil.example"}'), SignInFault.MISCONFIGURED),
        (IssuerResponse(" " * (LARGEST_ANSWER + 1)), SignInFault.MISCONFIGURED),
        (IssuerResponse('{"x":' + "[" * 50_000), SignInFault.MISCONFIGURED),
        (
            IssuerResponse("", 302, headers={"Location": "http://127.0.0.1:1/"}),
            SignInFault.MISCONFIGURED,
        ),
        (
            IssuerResponse(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
            SignInFault.MISCONFIGURED,
        ),
    ],
    ids=[
        "away",
        "not_there",
        "no_json",
        "another",
        "too_large",
        "too_deep",
        "elsewhere",
        "compressed",
    ],
)
def test_issuer_that_does_not_say_what_it_is_signs_nobody_in_until_it_does(
    issuer: RunningIssuer, browser: TestClient, answer: IssuerResponse, fault: SignInFault
) -> None:
    issuer.answers[DISCOVERY] = answer
    assert fault_of(browser.get("/sign-in/oidc")) == fault

    del issuer.answers[DISCOVERY]
    issuer.person("ann")
    assert SESSION_COOKIE in sign_in(browser).cookies


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "file:///etc/passwd"}],
)
def test_issuer_that_speaks_for_another_is_not_believed(
    issuer: RunningIssuer, browser: TestClient, change: dict[str, str]
) -> None:
    issuer.say(DISCOVERY, httpx.get(issuer.address + DISCOVERY).json() | change)

    assert fault_of(browser.get("/sign-in/oidc")) == SignInFault.MISCONFIGURED


def test_issuer_that_is_down_is_said_to_be_away(configure: Any, browser: TestClient) -> None:
    configure(oidc_issuer="http://localhost:1")

    assert fault_of(browser.get("/sign-in/oidc")) == SignInFault.ISSUER_AWAY


def test_without_an_issuer_there_is_only_the_sign_in_page(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONITOR_OIDC_ISSUER")
    settings.cache_clear()

    for path in ("/sign-in/oidc", "/sign-in/oidc/callback?code=x&state=y"):
        assert browser.get(path).headers["location"] == "/sign-in"


def test_every_fault_has_words_and_no_other_word_has() -> None:
    words = [*SignInFault, *Denial]

    assert all(SignInFault.text_of(word).endswith(".") for word in words)
    assert len(set(words)) == len(words)
    assert SignInFault.text_of("<b>anything</b>") == ""
