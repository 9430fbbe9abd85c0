"""Signing in and out by HTTP: who gets in, what is said to everybody else, and where one goes on."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from httpx import Response
from starlette.testclient import TestClient

from core.accounts.accounts import Account, find_account, remove_account, set_password
from core.accounts.passwords import hash_password, is_password
from core.accounts.sessions import lasting_sessions
from core.database import open_database, reading, writing
from core.locks import lock_accounts
from core.moment import utc_now
from core.settings import settings
from pages.server import session_cookie
from pages.server.session_book import SESSION_COOKIE, forget_guests, latest_guests
from pages.server.sign_in_log import sign_in_log
from pages.sign_in import attempts
from tests.helpers.database_away import database_away
from tests.helpers.signed_in import PASSWORD, make_account
from tests.helpers.waiting_writer import until_it_waits
from tests.pages.conftest import Database, use_database
from tests.pages.sign_in.conftest import ADDRESS, NewBrowser, invite, post

NEW_PASSWORD = "three blue umbrellas"


def identity(browser: TestClient) -> int | None:
    """The agent whom the dashboard takes the browser's cookies for."""
    forget_guests()
    found = latest_guests().identity_of(dict(browser.cookies))
    return None if found is None else found.agent_id


@pytest.mark.parametrize("email", ["ann@shop.example", " Ann@Shop.Example "])
def test_right_password_signs_in_and_goes_on(
    ann: Account, browser_at_door: TestClient, email: str
) -> None:
    answer = post(browser_at_door, email=email, next="/chats?site=tea&past=")
    assert (answer.status_code, answer.headers["location"]) == (303, "/chats?site=tea&past=")
    assert identity(browser_at_door) == ann.id
    cookie = next(
        each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)
    )
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/;" in cookie


def test_wrong_password_lets_nobody_in_and_keeps_the_address(
    ann: Account, browser_at_door: TestClient
) -> None:
    answer = post(browser_at_door, "not the password", next="/chats")
    assert answer.status_code == 401
    assert 'value="ann@shop.example"' in answer.text and 'value="/chats"' in answer.text
    assert "not the password" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert identity(browser_at_door) is None


@pytest.mark.parametrize("has_password", [True, False])
def test_nothing_tells_whether_an_address_has_an_account(
    ann: Account, database: Database, new_browser: NewBrowser, has_password: bool
) -> None:
    make_account(
        database.engine, "Bob", email="bob@shop.example", password=PASSWORD if has_password else ""
    )
    answers = [
        post(new_browser(f"192.0.2.{number}"), "wrong one", email)
        for number, email in enumerate(["bob@shop.example", "eve@shop.example"])
    ]
    known, unknown = ((each.status_code, each.headers, each.text) for each in answers)
    assert known == (unknown[0], unknown[1], unknown[2].replace("eve@", "bob@"))


@pytest.mark.parametrize("email", ["bob@shop.example", "eve@shop.example"])
def test_account_without_a_password_has_none_that_works(
    ann: Account, database: Database, browser_at_door: TestClient, email: str
) -> None:
    make_account(database.engine, "Bob", email="bob@shop.example", password="")
    assert post(browser_at_door, "the password of nobody", email).status_code == 401
    assert post(browser_at_door, "", email).status_code == 422


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example",
        "//[",
        "javascript:alert(1)",
        "evil.example",
        " /chats",
        "",
    ],
)
def test_nobody_is_sent_elsewhere(ann: Account, browser_at_door: TestClient, target: str) -> None:
    assert post(browser_at_door, next=target).headers["location"] == "/"
    assert browser_at_door.get("/sign-in", params={"next": target}).headers["location"] == "/"


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [
        ("/monitor/chats?x=1", "/monitor/chats?x=1"),
        ("/chats", "/monitor/"),
        ("/monitoring", "/monitor/"),
    ],
)
def test_next_page_is_below_the_base_path(
    monkeypatch: pytest.MonkeyPatch, target: str, goes_to: str
) -> None:
    monkeypatch.setattr(session_cookie, "below_base", lambda path: f"/monitor{path}")
    assert session_cookie.next_path(target) == goes_to


def test_whoever_is_signed_in_goes_on_at_once(ann: Account, browser_at_door: TestClient) -> None:
    assert browser_at_door.get("/sign-in?next=/chats").status_code == 200
    post(browser_at_door)
    answer = browser_at_door.get("/sign-in?next=/chats")
    assert (answer.status_code, answer.headers["location"]) == (303, "/chats")


def test_nobody_signs_in_where_nobody_has_to(new_browser: NewBrowser) -> None:
    browser = new_browser(is_here=True)
    for answer in (browser.get("/sign-in"), post(browser)):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert SESSION_COOKIE not in answer.cookies


def test_session_is_never_one_that_the_browser_brought(
    ann: Account, browser_at_door: TestClient, database: Database
) -> None:
    post(browser_at_door)
    first = browser_at_door.cookies[SESSION_COOKIE]
    post(browser_at_door)
    assert browser_at_door.cookies[SESSION_COOKIE] != first
    with reading(database.engine) as db:
        assert len(lasting_sessions(db, utc_now())) == 1


def test_signing_out_ends_the_session(ann: Account, browser_at_door: TestClient) -> None:
    post(browser_at_door)
    stolen = browser_at_door.cookies[SESSION_COOKIE]
    answer = browser_at_door.post("/sign-out", data={"from": "menu"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?signed-out")
    assert "You are signed out." in browser_at_door.get(answer.headers["location"]).text
    assert SESSION_COOKIE not in browser_at_door.cookies
    assert latest_guests().identity_of({SESSION_COOKIE: stolen}) is None


def test_signing_out_without_a_session_waits_for_no_transaction(
    ann: Account, database: Database, new_browser: NewBrowser
) -> None:
    browser = new_browser()
    browser.cookies[SESSION_COOKIE] = "made-up.by-a-stranger"
    with writing(database.engine) as db:
        lock_accounts(db)
        answer = browser.post("/sign-out", data={"from": "menu"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?signed-out")


def test_password_that_was_changed_while_it_was_checked_lets_nobody_in(
    postgres_url: str, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    account = make_account(engine, email="ann@shop.example")
    with ThreadPoolExecutor(1) as thread:
        with writing(engine) as db:
            set_password(db, account.id, hash_password(NEW_PASSWORD))
            answer = thread.submit(post, new_browser())
            until_it_waits(engine)
        assert answer.result().status_code == 401
    with reading(engine) as db:
        assert lasting_sessions(db, utc_now()) == []
    engine.dispose()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/link", "/sign-out"])
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, "email=a", 415),
        ({"Content-Type": "application/json"}, "{}", 415),
        ({}, f"email={'a' * 16_379}", 413),
    ],
)
def test_only_a_short_form_of_a_page_is_taken(
    ann: Account,
    browser_at_door: TestClient,
    path: str,
    headers: dict[str, str],
    body: str,
    status: int,
) -> None:
    post(browser_at_door)
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    assert browser_at_door.post(path, content=body, headers=sent).status_code == status
    assert identity(browser_at_door) == ann.id


def test_get_never_signs_out(ann: Account, browser_at_door: TestClient) -> None:
    post(browser_at_door)
    assert browser_at_door.get("/sign-out").status_code == 405
    assert identity(browser_at_door) == ann.id


def test_what_was_sent_is_never_markup(ann: Account, browser_at_door: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    texts = [
        post(browser_at_door, "wrong", hostile, next=f"/{hostile}").text,
        browser_at_door.get("/sign-in", params={"next": f"/{hostile}", "fault": hostile}).text,
    ]
    for text in texts:
        assert "<script>alert" not in text and "alert(1)" in text


def test_page_allows_only_its_own_script_and_style(
    ann: Account, browser_at_door: TestClient
) -> None:
    answer = browser_at_door.get("/sign-in")
    policy = answer.headers.get_list("content-security-policy")[0]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', answer.text) == []


def test_page_names_the_installation(
    ann: Account, browser_at_door: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ">monitor.example<" in browser_at_door.get("/sign-in").text
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", "https://tea.example/monitor")
    settings.cache_clear()
    answer = browser_at_door.get(
        "/sign-in", headers={"Host": "tea.example", "Origin": "https://tea.example"}
    )
    assert ">tea.example<" in answer.text


def test_link_sets_the_password_once(
    ann: Account, database: Database, new_browser: NewBrowser
) -> None:
    bob = make_account(database.engine, "Bob", email="bob@shop.example", password="")
    secret = invite(database.engine, bob)
    browser, scanner = new_browser(), new_browser("198.51.100.7")
    for _ in range(3):
        page = scanner.get("/sign-in/link", params={"secret": secret})
        assert page.status_code == 200 and "bob@shop.example" in page.text
    assert identity(scanner) is None
    form = {"secret": secret, "password": NEW_PASSWORD}
    answer = browser.post("/sign-in/link", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert identity(browser) == bob.id
    for again in (
        scanner.post("/sign-in/link", data=form),
        scanner.get("/sign-in/link", params={"secret": secret}),
    ):
        assert again.status_code == 410 and "Ask an admin for a new one" in again.text
    assert identity(scanner) is None
    assert post(scanner, NEW_PASSWORD, "bob@shop.example").status_code == 303


def test_link_ends_the_sessions_of_before(
    ann: Account, database: Database, new_browser: NewBrowser
) -> None:
    old, new = new_browser(), new_browser()
    post(old)
    secret = invite(database.engine, ann)
    new.post("/sign-in/link", data={"secret": secret, "password": NEW_PASSWORD})
    assert (identity(old), identity(new)) == (None, ann.id)


@pytest.mark.parametrize("password", ["too short", "ann@shop.example", "a" * 257])
def test_link_is_kept_by_a_password_that_is_not_taken(
    ann: Account, database: Database, browser_at_door: TestClient, password: str
) -> None:
    secret = invite(database.engine, ann)
    answer = browser_at_door.post("/sign-in/link", data={"secret": secret, "password": password})
    assert answer.status_code == 422
    assert 'role="alert">The password is' in answer.text
    assert f'value="{password}"' not in answer.text.replace('value="ann@shop.example"', "")
    assert browser_at_door.get("/sign-in/link", params={"secret": secret}).status_code == 200


def test_link_of_a_removed_account_is_dead(
    ann: Account, database: Database, browser_at_door: TestClient
) -> None:
    bob = make_account(database.engine, "Bob", email="bob@shop.example", password="")
    secret = invite(database.engine, bob)
    with writing(database.engine) as db:
        remove_account(db, bob.id)
    form = {"secret": secret, "password": NEW_PASSWORD}
    assert browser_at_door.post("/sign-in/link", data=form).status_code == 410


def test_database_away_is_said_and_keeps_what_was_typed(
    ann: Account, database: Database, new_browser: NewBrowser, browser_at_door: TestClient
) -> None:
    signed_in = new_browser()
    post(signed_in)
    secret = invite(database.engine, ann)
    assert browser_at_door.get("/sign-in").status_code == 200
    with database_away(database.engine):
        answers = [
            post(browser_at_door),
            browser_at_door.get("/sign-in/link", params={"secret": secret}),
            browser_at_door.post(
                "/sign-in/link", data={"secret": secret, "password": NEW_PASSWORD}
            ),
            signed_in.post("/sign-out", data={"from": "menu"}),
        ]
    assert [each.status_code for each in answers] == [503] * 4
    assert all("cannot reach its database" in each.text for each in answers)
    assert all(each.headers["retry-after"] for each in answers)
    assert 'value="ann@shop.example"' in answers[0].text and PASSWORD not in answers[0].text
    forget_guests()
    assert post(browser_at_door).status_code == 303
    with reading(database.engine) as db:
        account = find_account(db, ann.id)
    assert account is not None and is_password(account.agent.password, PASSWORD)


def test_cookie_is_secure_where_browsers_come_by_https(
    ann: Account, browser_at_door: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Secure" not in post(browser_at_door).headers["set-cookie"]
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", ADDRESS.replace("http:", "https:"))
    settings.cache_clear()
    assert all("Secure" in each for each in post(browser_at_door).headers.get_list("set-cookie"))


def test_log_tells_who_came_and_went_and_no_address(
    ann: Account, new_browser: NewBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=sign_in_log.name)
    browser, stranger = new_browser(), new_browser("198.51.100.7")
    for _ in range(4):
        post(stranger, "wrong one")
    post(browser)
    browser.post("/sign-out", data={"from": "menu"})
    lines = [record.getMessage() for record in caplog.records if record.name == sign_in_log.name]
    assert lines == [
        "sign_in_failed attempts=1",
        f"signed_in agent={ann.id} way=password",
        f"signed_out agent={ann.id}",
    ]


OIDC = {
    "MONITOR_OIDC_ISSUER": "https://issuer.example",
    "MONITOR_OIDC_CLIENT_ID": "monitor",
    "MONITOR_OIDC_CLIENT_SECRET": "secret",
}
PROXY = {"MONITOR_SIGN_IN_HEADER": "X-Forwarded-Email"}


@pytest.mark.parametrize(
    ("variables", "password", "has_link", "has_form"),
    [
        ({}, PASSWORD, False, True),
        ({}, "", False, True),
        (OIDC, PASSWORD, True, True),
        (OIDC, "", True, False),
        (PROXY, PASSWORD, False, True),
        (PROXY, "", False, False),
    ],
)
def test_page_offers_the_ways_that_somebody_has(
    database: Database,
    browser_at_door: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    password: str,
    has_link: bool,
    has_form: bool,
) -> None:
    make_account(database.engine, password=password)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    text = browser_at_door.get("/sign-in?next=/chats?x=1%262").text
    assert ('href="/sign-in/oidc?next=%2Fchats%3Fx%3D1%262"' in text) == has_link
    assert ('id="password"' in text) == has_form
    assert ("own sign-in leads here" in text) == (not has_link and not has_form)


CHECKED = attempts.OF_PAIR.most + 1
"""Guesses before the first that is refused; the level falls a little while they are made."""


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would only wait is checked at once, and no failure is forgotten during a test."""
    monkeypatch.setattr(attempts, "WAITS", (0,) * len(attempts.WAITS))
    monkeypatch.setattr(attempts, "OF_PAIR", replace(attempts.OF_PAIR, drains_every=100_000))


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("email", ["ann@shop.example", "eve@shop.example"])
def test_whoever_guesses_on_is_told_when_to_try_again(
    ann: Account, new_browser: NewBrowser, email: str
) -> None:
    guesser, neighbour = new_browser(), new_browser("192.0.2.2")
    statuses = [post(guesser, f"guess {n}", email).status_code for n in range(CHECKED)]
    assert statuses == [401] * CHECKED
    answer = post(guesser, email=email)
    assert answer.status_code == 429
    assert f"Try again in {int(answer.headers['retry-after']):,} seconds." in answer.text
    assert post(neighbour, email=email).status_code == (303 if email.startswith("ann") else 401)


@pytest.mark.usefixtures("no_waits")
def test_address_that_is_written_in_another_way_counts_as_the_same(
    ann: Account, new_browser: NewBrowser
) -> None:
    guesser = new_browser()
    written = ["Ann@shop.example" + "." * number for number in range(CHECKED - 1)]
    for email in (*written, "ann@\N{FULLWIDTH LATIN SMALL LETTER S}hop.example"):
        assert post(guesser, "guess", email).status_code == 401
    assert post(guesser, "guess", "ann@SHOP.example.").status_code == 429


@pytest.mark.usefixtures("no_waits")
def test_address_is_the_one_that_the_trusted_proxy_adds(
    ann: Account, browser_at_door: TestClient
) -> None:
    del browser_at_door.headers["X-Forwarded-For"]
    statuses = [
        browser_at_door.post(
            "/sign-in",
            data={"email": "ann@shop.example", "password": "wrong one"},
            headers=[("X-Forwarded-For", f"198.51.100.{n}"), ("X-Forwarded-For", "192.0.2.1")],
        ).status_code
        for n in range(CHECKED + 1)
    ]
    assert statuses == [401] * CHECKED + [429]


@pytest.mark.usefixtures("no_waits")
def test_owner_behind_the_same_address_signs_in_from_the_browser_of_before(
    ann: Account, new_browser: NewBrowser
) -> None:
    owner, guesser = new_browser(), new_browser()
    post(owner)
    owner.post("/sign-out", data={"from": "menu"})
    for number in range(CHECKED):
        post(guesser, f"guess {number}")
    assert post(guesser).status_code == 429
    assert post(owner).status_code == 303


@pytest.mark.usefixtures("no_waits")
def test_cookie_of_a_browser_is_good_for_its_account_only(
    ann: Account, database: Database, new_browser: NewBrowser
) -> None:
    make_account(database.engine, "Bob", email="bob@shop.example")
    browser = new_browser()
    post(browser)
    for _ in range(CHECKED):
        post(browser, "guess", "bob@shop.example")
    assert post(browser, "guess", "bob@shop.example").status_code == 429
    assert post(new_browser(), email="bob@shop.example").status_code == 429


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_tries_secrets_of_links_is_told_when_to_try_again(
    ann: Account, database: Database, new_browser: NewBrowser, method: str
) -> None:
    guesser, neighbour = new_browser(), new_browser("192.0.2.2")
    secret = invite(database.engine, ann)

    def try_secret(browser: TestClient, secret: str) -> Response:
        sent = {"secret": secret, "password": NEW_PASSWORD}
        if method == "GET":
            return browser.get("/sign-in/link", params=sent)
        return browser.post("/sign-in/link", data=sent)

    statuses = [try_secret(guesser, f"guess {n}").status_code for n in range(CHECKED)]
    assert statuses == [410] * CHECKED
    answer = try_secret(guesser, secret)
    assert answer.status_code == 429
    assert f"Try again in {int(answer.headers['retry-after']):,} seconds." in answer.text
    assert post(guesser).status_code == 303  # at accounts that is another count
    assert try_secret(neighbour, secret).status_code in (200, 303)


@pytest.mark.usefixtures("no_waits")
def test_link_may_be_opened_as_often_as_one_likes_and_frees_nobody_to_try_others(
    ann: Account, database: Database, browser_at_door: TestClient
) -> None:
    secret = invite(database.engine, ann)

    def ask(secret: str) -> int:
        return browser_at_door.get("/sign-in/link", params={"secret": secret}).status_code

    assert [ask(secret) for _ in range(2 * CHECKED)] == [200] * 2 * CHECKED
    assert [ask("guess") for _ in range(CHECKED - 1)] == [410] * (CHECKED - 1)
    assert (ask(secret), ask("guess"), ask("guess")) == (200, 410, 429)
