"""The demo shop: what is committed is what the build makes, whole, and with no outside resource."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SHOP = Path(__file__).parents[3] / "embed" / "demo"
PAGES = sorted(SHOP.rglob("*.html"))
TAG = '<script async src="/embed/visitor-monitor.js" data-site="demo"></script>'
DASHBOARD = "http://127.0.0.1:8501"
LINKS = {"href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href"}

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(SHOP)) for page in PAGES]
)


def test_committed_pages_are_what_the_build_makes():
    build = subprocess.run(
        [sys.executable, SHOP / "build.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert (build.returncode, build.stderr) == (0, "")


@pytest.mark.parametrize(
    "path",
    [
        "/demo/",
        "/demo/collections/tea",
        "/demo/collections/cups",
        "/demo/search?q=oolong",
        "/demo/cart",
        "/demo/checkout/information",
        "/demo/checkout/shipping",
        "/demo/checkout/payment",
        "/demo/checkout/thank-you",
        "/demo/guide",
        "/demo/guide/water",
        "/demo/guide/leaf",
        "/demo/guide/time",
    ],
)
def test_shop_has_the_page(path: str):
    assert find_file(path) in PAGES


def test_shop_has_six_products():
    assert len(list(SHOP.glob("products/*.html"))) == 6


@every_page
def test_page_carries_the_tag_once(page: Path):
    html = page.read_text(encoding="utf-8")
    assert html.count(TAG) == 1
    assert html.count("visitor-monitor.js") == 1


@every_page
def test_every_link_and_asset_of_the_page_resolves(page: Path):
    lost = [link for link in read(page).links if not resolves(link, page)]
    assert lost == []


@every_page
def test_page_points_to_nothing_outside_but_the_dashboard(page: Path):
    outside = re.findall(r"(?:https?:)?//[^\s\"'<>)]+", page.read_text(encoding="utf-8"))
    assert set(outside) == {DASHBOARD}


@pytest.mark.parametrize("name", ["demo.css", "demo.js", "art.svg", "icon.svg"])
def test_asset_points_to_nothing_outside(name: str):
    text = (SHOP / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?:|url\(|@import|document\.cookie|localStorage", text) == []


@every_page
def test_only_the_search_word_has_a_name_that_a_form_could_send(page: Path):
    assert read(page).sendable == ["q"]


@every_page
def test_page_has_one_heading_of_its_own_and_says_what_it_is(page: Path):
    html = page.read_text(encoding="utf-8")
    assert html.count("<h1") == 1
    assert "Visitor Monitor's demo shop" in html


def test_no_two_pages_have_the_same_title():
    titles = [re.findall(r"<title>(.+?)</title>", page.read_text()) for page in PAGES]
    assert len({title for [title] in titles}) == len(PAGES)


@dataclass
class ShopPage(HTMLParser):
    """What one page links to, its ids, and the form fields that would be sent."""

    links: list[str] = field(default_factory=list[str])
    ids: set[str] = field(default_factory=set[str])
    sendable: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.links += [value for name, value in values.items() if name in LINKS]
        self.ids.add(values.get("id", ""))
        if "name" in values and values.get("type") != "radio" and tag != "meta":
            self.sendable.append(values["name"])


def read(page: Path) -> ShopPage:
    parser = ShopPage()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def resolves(link: str, page: Path) -> bool:
    if link in {DASHBOARD, "/embed/visitor-monitor.js"}:
        return True
    url = urlsplit(link)
    target = find_file(link) if url.path else page
    if target is None or not url.fragment:
        return target is not None
    if target.suffix == ".svg":
        return f'id="{url.fragment}"' in target.read_text(encoding="utf-8")
    return url.fragment in read(target).ids


def find_file(link: str) -> Path | None:
    """The file that the collector serves for a path, or None: the mapping of its /demo/ route."""
    path = urlsplit(link).path
    if not path.startswith("/demo/"):
        return None
    name = path.removeprefix("/demo/")
    files = [SHOP / f"{name}.html", SHOP / name / "index.html", SHOP / name]
    return next((file for file in files if file.is_file()), None)
