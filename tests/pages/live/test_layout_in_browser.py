"""The table is the page: what is on the screen at each width, and that nothing is cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from pages.parts.site_choice import ALL_SITES
from tests.helpers.live_page import rows, table
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_site, make_visit
from tests.pages.live.conftest import LONG, OpenSite
from tests.pages.live.test_columns import contrast

pytestmark = pytest.mark.timeout(300)

SCREENS = [
    pytest.param(1440, 900, 10, marks=pytest.mark.long),
    (1366, 768, 10),
    pytest.param(1280, 720, 6, marks=pytest.mark.long),
    pytest.param(1024, 768, 0, marks=pytest.mark.long),
    pytest.param(768, 1024, 0, marks=pytest.mark.long),
    (390, 844, 1),
]
"""Width, height, and how many visitors are to be seen on it without scrolling."""

FULLY_VISIBLE = """rows => rows.filter(row => {
  const { top, bottom } = row.getBoundingClientRect()
  return top >= 0 && bottom <= innerHeight
}).length"""
TOO_WIDE = """() => [document.documentElement, document.querySelector('.stMain')]
  .map(part => part.scrollWidth - part.clientWidth)"""
CUT = """buttons => buttons.filter(button => {
  const { left, right, width } = button.getBoundingClientRect()
  const box = button.closest('.scroll').getBoundingClientRect()
  return width > 0 && (left < box.left || right > box.right || right > innerWidth)
}).length"""


@pytest.mark.parametrize("width, height, at_least", SCREENS)
def test_nothing_is_cut_and_visitors_are_on_the_screen_at_any_width(
    open_site: OpenSite, width: int, height: int, at_least: int
) -> None:
    page = open_site("fifty", width=width, height=height)
    expect(rows(page)).to_have_count(50)
    expect(page.get_by_role("list", name="Visitors by Country")).to_be_visible()
    if at_least:
        expect(page.get_by_role("heading", name="Active Visitors")).to_be_in_viewport()
        assert rows(page).evaluate_all(FULLY_VISIBLE) >= at_least
    assert page.evaluate(TOO_WIDE) == [0, 0]
    invite = rows(page).locator("button.action:visible")
    assert invite.count() > 30
    assert invite.evaluate_all(CUT) == 0
    wordy = page.locator("tr[data-id=wordy]")
    for name in ("path", "source", "page_context", "status"):
        assert visible_width(page, wordy.locator(f"[data-name={name}]")) > 40, name
    keep_both_themes(page, "live-fifty", whole=False)


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 1366, 1280])
def test_every_column_has_room_or_rows_become_cards(open_site: OpenSite, width: int) -> None:
    page = open_site(ALL_SITES, width=width)
    expect(rows(page)).to_have_count(100, timeout=90_000)
    expect(table(page).get_by_role("columnheader")).to_have_count(12)
    assert visible_width(page, rows(page).first.locator("[data-name=path]")) >= 100
    assert (
        table(page)
        .locator("..")
        .evaluate("scroller => scroller.scrollWidth <= scroller.clientWidth")
    )
    assert rows(page).locator("button.action:visible").evaluate_all(CUT) == 0
    assert page.evaluate(TOO_WIDE) == [0, 0]


@pytest.mark.long
@pytest.mark.parametrize("width, is_beside", [(1920, True), (1366, False)])
def test_breakdowns_stand_beside_the_table_where_it_is_wide(
    open_site: OpenSite, width: int, is_beside: bool
) -> None:
    page = open_site("fifty", width=width)
    shares, shown = page.get_by_role("list", name="Visitors by Browser"), table(page)
    expect(shares).to_be_visible()
    expect(shown).to_be_visible()
    assert (left_of(shares) > left_of(shown) + width / 2) is is_beside


@pytest.mark.long
def test_breakdown_opens_the_groups_behind_other_by_keyboard(open_site: OpenSite) -> None:
    page = open_site("fifty")
    shares = page.get_by_role("list", name="Visitors by Country").get_by_role("listitem")
    more = page.get_by_role("button", name="more in Country")
    expect(more).to_have_attribute("aria-expanded", "false")
    few = shares.count()
    assert [name for name in names(shares) if name == "Other"]
    more.focus()
    page.keyboard.press("Enter")
    less = page.get_by_role("button", name="Less in Country")
    expect(less).to_have_attribute("aria-expanded", "true")
    expect(less).to_be_focused()
    assert shares.count() > few
    assert "Other" not in names(shares)
    page.keyboard.press("Enter")
    expect(shares).to_have_count(few)


@pytest.mark.long
@pytest.mark.parametrize("width", [1366, 390])
def test_page_of_a_hundred_rows_ends_with_its_content(open_site: OpenSite, width: int) -> None:
    page = open_site("big", width=width)
    expect(rows(page)).to_have_count(100)
    below = page.evaluate(
        "() => document.querySelector('.stMain').scrollHeight"
        " - document.querySelector('.stMainBlockContainer').scrollHeight"
    )
    assert abs(below) < 5


@pytest.mark.long
def test_visitor_of_many_words_has_them_in_the_row_and_its_tooltip(open_site: OpenSite) -> None:
    page = open_site("fifty")
    wordy = page.locator("tr[data-id=wordy]")
    path = wordy.locator("td[data-name=path]")
    expect(path).to_have_attribute("title", f"/cart/{LONG}\nA title of its own")
    expect(wordy.locator("[data-name=visitor_name]")).to_have_text(f"{LONG}@example.com3rd visit")
    expect(wordy.locator("[data-name=page_context]")).to_have_text("Cart€1,120.50")


@pytest.mark.long
def test_visitor_column_is_there_only_when_somebody_is_known(
    open_site: OpenSite, live_database
) -> None:
    site = make_site(live_database[1], key="nameless", name="Nameless shop")
    make_visit(live_database[1], site, "nobody", now=datetime.now(UTC), attributes={})
    page = open_site("nameless")
    expect(rows(page)).to_have_count(1)
    expect(table(page).get_by_role("columnheader", name="Visitor")).to_have_count(0)
    expect(page.locator("td[data-name=visitor_name]")).to_be_hidden()


@pytest.mark.long
@pytest.mark.parametrize("width", [1024, 390])
def test_cards_are_laid_out_alike_with_and_without_a_context(
    open_site: OpenSite, width: int
) -> None:
    page = open_site("small", width=width)
    expect(rows(page)).to_have_count(25)
    places = rows(page).evaluate_all(
        """rows => rows.map(row => {
          const card = row.getBoundingClientRect()
          const place = name => row.querySelector(`[data-name=${name}]`).getBoundingClientRect()
          return [
            Math.round(place('status').left - card.left),
            Math.round(card.right - place('conversation').right),
            place('status').top < place('source').top,
            Math.round(place('source').left - card.left),
          ]
        })"""
    )
    known = [
        place
        for place, name in zip(
            places, page.locator("td[data-name=visitor_name]").all_inner_texts(), strict=True
        )
        if not name
    ]
    assert len({tuple(place) for place in known}) == 1


@pytest.mark.long
def test_rule_of_a_number_is_reached_by_keyboard_and_closed_by_escape(open_site: OpenSite) -> None:
    page = open_site("three")
    rule = page.get_by_text("Visitors who are online and not chatting.")
    page.get_by_role("button", name="What Browsing counts").focus()
    expect(rule).to_be_visible()
    page.keyboard.press("Escape")
    expect(rule).to_be_hidden()


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_arrows_and_edges_can_be_seen(open_site: OpenSite, theme: str) -> None:
    page = open_site("three", theme=theme)
    expect(rows(page)).to_have_count(3)
    arrow = (
        table(page)
        .locator("th .arrow")
        .first.evaluate(
            "arrow => [getComputedStyle(arrow, '::before').color,"
            " getComputedStyle(arrow.closest('th')).backgroundColor]"
        )
    )
    edge = page.get_by_role("searchbox").evaluate(
        "field => [getComputedStyle(field).borderTopColor, getComputedStyle(field).backgroundColor]"
    )
    for colour, behind in (arrow, edge):
        assert contrast(as_hex(page, colour), as_hex(page, behind)) >= 3


@pytest.mark.long
@pytest.mark.parametrize("key", ["calm", "three"])
def test_page_draws_without_a_warning_in_the_console(open_site: OpenSite, key: str) -> None:
    page = open_site("demo")
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type != "log" else None)
    page.goto(page.url.replace("demo", key))
    expect(page.locator(".st-key-chart-last-7-days :is(canvas, svg).marks")).to_be_visible()
    assert said == []


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("key", ["calm", "three"])
def test_few_visitors_are_shown_well(open_site: OpenSite, key: str, width: int) -> None:
    page = open_site(key, width=width)
    found = page.get_by_text("Nobody is on the site right now.") if key == "calm" else rows(page)
    expect(found.first).to_be_visible()
    expect(page.get_by_role("button", name="Clear filters")).to_be_hidden()
    keep_both_themes(page, f"live-{key}")


def as_hex(page: Page, colour: str) -> str:
    """A colour of CSS as "#rrggbb"."""
    return page.evaluate(
        """colour => {
          const ink = document.createElement('canvas').getContext('2d')
          ink.fillStyle = colour
          ink.fillRect(0, 0, 1, 1)
          const parts = [...ink.getImageData(0, 0, 1, 1).data].slice(0, 3)
          return '#' + parts.map(part => part.toString(16).padStart(2, '0')).join('')
        }""",
        colour,
    )


def visible_width(page: Page, cell) -> float:
    """How many pixels of the cell can be seen."""
    return cell.evaluate(
        """cell => {
          const { left, right } = cell.getBoundingClientRect()
          const box = cell.closest('.scroll').getBoundingClientRect()
          return Math.min(right, box.right, innerWidth) - Math.max(left, box.left, 0)
        }"""
    )


def left_of(part) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["x"]


def names(shares) -> list[str]:
    return shares.locator(".word").all_inner_texts()
