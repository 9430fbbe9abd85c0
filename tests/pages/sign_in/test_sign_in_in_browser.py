"""The sign-in pages in a real browser, before the real dashboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pages.server.session_book import SESSION_COOKIE
from pages.sign_in.device_cookie import DEVICE_COOKIE
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_screenshot, wait_until_drawn
from tests.helpers.seed import make_database, make_site
from tests.helpers.signed_in import PASSWORD, make_account
from tests.pages.sign_in.conftest import invite

pytestmark = pytest.mark.timeout(300)

EMAIL = "ann@shop.example"
NEW_PASSWORD = "three blue umbrellas"
OpenAt = Callable[..., Page]


@pytest.fixture(scope="module")
def engine_and_url(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    url, engine = make_database(tmp_path_factory.mktemp("door"))
    make_site(engine, key="tea")
    make_account(engine, email=EMAIL)
    return engine, url


@pytest.fixture(scope="module")
def dashboard(engine_and_url: tuple[Any, str]) -> Iterator[str]:
    with running_dashboard(engine_and_url[1]) as address:
        yield address


@pytest.fixture
def secret(engine_and_url: tuple[Any, str]) -> str:
    """Of a link for a new colleague."""
    return invite(engine_and_url[0], make_account(engine_and_url[0], "Bob", password=""))


@pytest.fixture
def open_at(browser: Browser, dashboard: str) -> Iterator[OpenAt]:
    """Opens a path of the dashboard in a profile of its own."""
    contexts = []

    def open_at(path: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{dashboard}{path}")
        return page

    yield open_at
    for context in contexts:
        context.close()


def test_deep_link_is_reached_by_the_keyboard_alone(open_at: OpenAt, dashboard: str) -> None:
    page = open_at("/sites?site=tea&from=mail")
    expect(page.get_by_role("textbox", name="E-mail address")).to_be_focused()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("The e-mail address or the password is wrong.")
    expect(page.get_by_label("E-mail address")).to_have_value(EMAIL)
    password = page.get_by_role("textbox", name="Password")
    expect(password).to_be_focused()
    expect(password).to_have_value("")
    expect(password).to_have_accessible_description(fault.inner_text())
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{dashboard}/sites?site=tea&from=mail")
    expect(page.get_by_test_id("stMainBlockContainer").locator("h1")).to_be_visible()


def test_page_works_without_a_script(open_at: OpenAt, dashboard: str) -> None:
    page = open_at("/", java_script_enabled=False)
    expect(page.get_by_role("button", name="Show the password")).to_be_hidden()
    page.get_by_label("E-mail address").fill(EMAIL)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{dashboard}/")
    assert SESSION_COOKIE in {cookie.get("name") for cookie in page.context.cookies()}


def test_password_is_shown_and_hidden_again(open_at: OpenAt) -> None:
    page = open_at("/sign-in")
    field = page.locator("#password")
    field.fill("visible words")
    page.get_by_role("button", name="Show the password").click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_be_focused()
    page.get_by_role("button", name="Hide the password").click()
    expect(field).to_have_attribute("type", "password")


@pytest.mark.parametrize(
    ("path", "kind"), [("/sign-in", "current-password"), ("/sign-in/link?secret=", "new-password")]
)
def test_password_manager_finds_the_fields(
    open_at: OpenAt, secret: str, path: str, kind: str
) -> None:
    page = open_at(f"{path}{secret}" if path.endswith("=") else path)
    form = page.locator("form")
    assert form.get_attribute("method") == "post"
    found = form.locator("input:not([type=hidden])").evaluate_all(
        "fields => fields.map(each => [each.type, each.autocomplete, each.labels.length])"
    )
    assert found == [["text", "username", 1], ["password", kind, 1]]


def test_link_sets_a_password_once_and_tells_nobody_its_secret(
    open_at: OpenAt, secret: str, dashboard: str
) -> None:
    page = open_at(f"/sign-in/link?secret={secret}")
    referrers: list[str] = []
    page.on("request", lambda request: referrers.append(request.header_value("referer") or ""))
    field = page.get_by_role("textbox", name="New password")
    expect(field).to_be_focused()
    rules = page.locator("#rules").inner_text()
    assert rules.startswith("10 characters or more")
    expect(field).to_have_accessible_description(rules)
    field.fill(NEW_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{dashboard}/")
    assert not [each for each in referrers if secret in each]
    page.goto(f"{dashboard}/sign-in/link?secret={secret}")
    expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()


def test_everything_works_below_a_path(
    browser: Browser, engine_and_url: tuple[Any, str], secret: str
) -> None:
    with running_dashboard(engine_and_url[1], below="monitor") as dashboard:
        page = browser.new_page()
        page.goto(f"{dashboard}/sign-in/link?secret={secret}")
        page.get_by_role("textbox", name="New password").fill(NEW_PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{dashboard}/")
        page.context.clear_cookies(name=SESSION_COOKIE)
        page.goto(f"{dashboard}/sites?site=tea")
        page.get_by_label("E-mail address").fill(EMAIL)
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{dashboard}/sites?site=tea")
        paths = {each.get("name"): each.get("path") for each in page.context.cookies()}
        assert (
            paths.items()
            >= {
                SESSION_COOKIE: "/monitor/",
                DEVICE_COOKIE: "/monitor/sign-in",
            }.items()
        )
        page.context.close()


def test_nothing_is_loaded_but_the_page(open_at: OpenAt, dashboard: str) -> None:
    page = open_at("/sign-in")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.reload(wait_until="networkidle")
    assert [each for each in requested if not each.startswith("data:")] == [f"{dashboard}/sign-in"]


@dataclass(frozen=True)
class DoorState:
    """A sign-in page in one of its states: its path, and what is done there."""

    name: str
    path: str
    act: Callable[[Page], object] = lambda page: None


def fill_wrong(page: Page) -> None:
    page.get_by_label("E-mail address").fill("a.very.long.address.of.somebody@shop.example")
    page.locator("#password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def fill_short(page: Page) -> None:
    page.locator("form").evaluate("form => { form.noValidate = true }")  # as an old browser does
    page.locator("#password").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("too short")


DOOR_STATES = (
    DoorState("sign-in", "/sign-in"),
    DoorState("wrong password", "/sign-in", fill_wrong),
    DoorState("signed out", "/sign-in?signed-out"),
    DoorState("link", "/sign-in/link?secret={secret}"),
    DoorState("short password", "/sign-in/link?secret={secret}", fill_short),
    DoorState("dead link", "/sign-in/link?secret=none"),
)


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("state", DOOR_STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_at_the_door(
    open_at: OpenAt, secret: str, state: DoorState, width: int
) -> None:
    page = open_at(state.path.format(secret=secret), viewport={"width": width, "height": 844})
    state.act(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        background = "rgb(244, 246, 250)" if theme == "light" else "rgb(11, 14, 23)"
        expect(page.locator("body")).to_have_css("background-color", background)
        keep_screenshot(page, f"door {state.name}-{width}-{theme}")
        wait_until_drawn(page)  # axe reads colours
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], theme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
