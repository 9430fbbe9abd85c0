"""The owner's own pages: in the menu, behind the same gate, and never in the way of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from core.accounts.identity import Role
from core.settings import settings
from core.tables import Site
from pages.own_pages.own_page import FOR_OTHERS, HAS_ERROR, own_pages
from pages.own_pages.page_file import DEFAULT_ICON
from pages.parts.viewer import MAY_NOT, NOT_YOURS
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.dashboard_chats import now
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visits
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage, age_snapshots

WritePage = Callable[..., Path]
HELLO = '''"""Hello: who is here."""
from pages.own import open_site, small_text

def draw_page():
    site = open_site("Hello")
    if site is not None:
        small_text(f"This is {site.name}.")
'''


@pytest.fixture
def write_page(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WritePage:
    """Writes a file of a page's folder; page.py of `hello` unless named otherwise."""
    monkeypatch.setenv("MONITOR_PAGES_DIR", str(tmp_path / "pages"))
    settings.cache_clear()

    def write_page(code: str, folder: str = "hello", file: str = "page.py") -> Path:
        path = tmp_path / "pages" / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
        return path

    return write_page


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea", name="Tea shop")


def menu_of(page) -> list[str]:
    return [link.proto.label for link in page.sidebar.get("page_link")]


def test_no_folder_is_no_page(database: Database, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MONITOR_PAGES_DIR", str(tmp_path / "nowhere"))
    settings.cache_clear()
    assert own_pages() == []


def test_page_is_in_the_menu_and_draws_its_site(
    write_page: WritePage, open_page: OpenPage, site: Site
) -> None:
    write_page(HELLO)
    assert "Hello" in menu_of(open_page())
    page = open_page("own-hello")
    assert not page.exception
    assert "This is Tea shop." in texts(page)


@pytest.mark.parametrize(
    ("code", "title", "icon", "role"),
    [
        ('"""Sales by hour: a heat map."""', "Sales by hour", DEFAULT_ICON, Role.VIEWER),
        ('TITLE = "Orders"\nICON = "shopping_bag"\nROLE = "agent"', "Orders", ":material/shopping_bag:", Role.AGENT),
        ('"""X."""\nICON = "no icon!"\nROLE = "owner"', "X", DEFAULT_ICON, Role.ADMIN),
        ('"""X."""\nTITLE = " "\nICON = "shoping_bag"', "X", DEFAULT_ICON, Role.VIEWER),
        ("def draw_page(:", "By source", DEFAULT_ICON, Role.VIEWER),
        ("", "By source", DEFAULT_ICON, Role.VIEWER),
    ],
)  # fmt: skip
def test_file_says_its_title_its_icon_and_who_may_open_it(
    write_page: WritePage, code: str, title: str, icon: str, role: Role
) -> None:
    write_page(code, "by-source")
    [page] = own_pages()
    assert (page.words.title, page.words.icon, page.words.role) == (title, icon, role)


def test_changed_files_are_read_anew_and_unchanged_ones_are_not(
    write_page: WritePage, open_page: OpenPage, site: Site
) -> None:
    write_page("from .words import WORD\nfrom pages.own import small_text\nruns = []\n"
               "def draw_page():\n    runs.append(1)\n    small_text(f'{WORD} {len(runs)}')")  # fmt: skip
    write_page('WORD = "First"', file="words.py")
    page = open_page("own-hello")
    assert "First 1" in texts(page)
    assert "First 2" in texts(page.run())
    write_page('WORD = "And second"', file="words.py")
    assert "And second 1" in texts(page.run())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def draw_page():\n    1 / 0", "hello/page.py, line 2: ZeroDivisionError"),
        ("x = 1\ndef draw_page(:", "hello/page.py, line 2: SyntaxError"),
        ("\nimport nothing_of_this_name", "hello/page.py, line 2: ModuleNotFoundError"),
        ("x = 1", "hello/page.py: NoDrawPage: it has no function draw_page()"),
    ],
)
def test_error_of_a_page_is_told_in_its_place_with_its_line(
    write_page: WritePage, open_page: OpenPage, site: Site, code: str, told: str
) -> None:
    write_page(code)
    write_page(HELLO, "other")
    page = open_page("own-hello")
    assert not page.exception
    assert HAS_ERROR in texts(page) and told in texts(page)
    assert "Hello" in menu_of(page)
    assert "This is Tea shop." in texts(open_page("own-other"))
    assert "Online Now" in texts(open_page()) or not open_page().exception


def test_log_has_the_place_of_an_error_and_not_its_text(
    write_page: WritePage, open_page: OpenPage, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    write_page('def draw_page():\n    raise ValueError("ada@shop.example")')
    with caplog.at_level(logging.ERROR, "pages.own"):
        open_page("own-hello")
    assert "at=hello/page.py, line 2 error=ValueError" in caplog.text
    assert "ada@" not in caplog.text


def sign_in(
    database: Database, cookies: dict[str, str], role: Role, sites: list[Site] | None = None
) -> None:
    make_account(database.engine, "Owner", password="")
    limit = None if sites is None else [site.id or 0 for site in sites]
    account = make_account(database.engine, "Ann", role, password="", site_ids=limit)
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    age_snapshots()


def test_only_admins_read_what_is_wrong(
    write_page: WritePage, open_page: OpenPage, database: Database, site: Site, cookies
) -> None:
    write_page("def draw_page():\n    1 / 0")
    sign_in(database, cookies, Role.AGENT)
    said = texts(open_page("own-hello"))
    assert FOR_OTHERS in said and "ZeroDivision" not in said


def test_role_of_a_page_is_asked_for(
    write_page: WritePage, open_page: OpenPage, database: Database, site: Site, cookies
) -> None:
    write_page(f'ROLE = "agent"\n{HELLO}')
    sign_in(database, cookies, Role.VIEWER)
    page = open_page("own-hello")
    assert MAY_NOT[Role.AGENT] in texts(page) and "This is Tea shop" not in texts(page)
    assert "Hello" not in menu_of(page)


def test_page_reads_only_the_sites_of_its_viewer(
    write_page: WritePage, open_page: OpenPage, database: Database, site: Site, cookies
) -> None:
    other = make_site(database.engine, key="pots", name="Pot shop")
    make_visits(database.engine, site, 3, now=now())
    write_page(
        "from pages.own import answer, open_site, sites, small_text\n"
        "from core.tables import Site\n"
        "COUNT = 'SELECT count(*) AS visits FROM visit WHERE site_id = :site'\n"
        "def draw_page():\n"
        "    small_text(f'sites: {[each.key for each in sites()]}')\n"
        "    site = open_site('Own')\n"
        "    small_text(f\"own: {answer(site, COUNT)['visits'].tolist()}\")\n"
        f"    answer(Site(id={other.id}, key='pots', name='Pots'), COUNT)\n"
        "    small_text('not reached')\n"
    )
    sign_in(database, cookies, Role.VIEWER, [site])
    said = texts(open_page("own-hello"))
    assert "sites: ['tea']" in said and "own: [3]" in said
    assert NOT_YOURS in said and "not reached" not in said
