"""Waiting for the first page view: what is said when it comes, and what may be wrong when it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine
from sqlmodel import col
from streamlit.testing.v1 import AppTest

from core.database import insert_into, writing
from core.reasons import Reason
from core.removal import delete_some, remove_site
from core.sites import add_site
from core.tables import DropCount, Site
from core.visits.presence import COUNT_SLOT
from pages.parts.drop_reasons import reason_text
from pages.parts.first_view import PATIENCE
from pages.parts.snapshots import clear_sites
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage

CAUSES = "It may be this:"


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def page(site: Site, open_page: OpenPage) -> AppTest:
    """Visitor Monitor of a site without a visitor: it has just begun to wait."""
    page = open_page(site="tea")
    assert "Waiting for the first page view" in texts(page)
    assert CAUSES not in texts(page)
    return page


def drop(engine: Engine, site_id: int | None, reason: Reason) -> None:
    """What the collector counts when it refuses something now."""
    now = datetime.now(UTC)
    slot = now - (now - datetime(2026, 1, 1, tzinfo=UTC)) % COUNT_SLOT
    with writing(engine) as db:
        counted = insert_into(db, DropCount).values(
            site_id=site_id, starts_at=slot, reason=reason.value, hits=1
        )
        once_more = {"hits": col(DropCount.hits) + 1}
        key = ["site_id", "starts_at", "reason"]
        db.execute(counted.on_conflict_do_update(index_elements=key, set_=once_more))


def shown_after(page: AppTest, monkeypatch: pytest.MonkeyPatch, length: timedelta) -> str:
    moment = datetime.now(UTC) + length
    with monkeypatch.context() as patch:
        patch.setattr("pages.parts.first_view.utc_now", lambda: moment)
        return texts(page.run())


def test_page_of_the_first_view_is_named(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea")
    page = open_page("sites")
    page.button(key="add_site").click().run()
    page.text_input(key="new_site_name").set_value("Cups")
    next(each for each in page.button if each.label == "Add site").click().run()
    added = Site(**{**site.model_dump(), "id": (site.id or 0) + 1})
    make_visit(database.engine, added, "visit1", now=datetime.now(UTC), current_path="/oolong")
    assert "We see you:  /oolong" in texts(page.run())


@pytest.mark.parametrize(
    ("apart", "is_told"), [(timedelta(seconds=-5), False), (timedelta(), True)]
)
def test_usual_causes_are_told_after_a_minute(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, apart: timedelta, is_told: bool
) -> None:
    shown = shown_after(page, monkeypatch, PATIENCE + apart)
    assert (CAUSES in shown) is is_told
    assert ("127.0.0.1, which only this computer can reach" in shown) is is_told


@pytest.mark.parametrize("reason", [Reason.UNKNOWN_SITE, Reason.MALFORMED])
def test_what_may_be_of_any_website_is_told_after_a_minute_with_the_usual_causes(
    database: Database, page: AppTest, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    drop(database.engine, 0, reason)
    assert CAUSES not in texts(page.run())
    shown = shown_after(page, monkeypatch, PATIENCE)
    assert reason_text(reason) in shown and "ad blocker" in shown


@pytest.mark.parametrize("reason", [Reason.ORIGIN, Reason.BOT])
def test_what_was_refused_is_told_at_once(
    database: Database, site: Site, page: AppTest, reason: Reason
) -> None:
    drop(database.engine, site.id, reason)
    shown = texts(page.run())
    assert CAUSES in shown
    assert reason_text(reason) in shown


def test_what_was_refused_before_is_no_cause(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    drop(database.engine, site.id, Reason.BOT)
    page = open_page(site="tea")
    assert reason_text(Reason.BOT) not in texts(page)
    drop(database.engine, site.id, Reason.BOT)
    assert reason_text(Reason.BOT) in texts(page.run())


def test_collector_that_does_not_answer_is_the_first_cause(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in (10.0**9, 10.0**9 + 20):
        monkeypatch.setattr("pages.parts.collector_notice.monotonic", partial(float, seconds))
        page.run()
    shown = texts(page)
    assert "nothing is recorded before it is started" in shown
    assert "ad blocker" not in shown


def test_site_with_the_key_and_the_id_of_a_deleted_one_begins_to_wait_anew(
    database: Database, site: Site, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + PATIENCE
    with writing(database.engine) as db:
        remove_site(db, "tea", site.name, later)
        while not delete_some(db, site.id or 0, 9, 9).is_last:
            pass
        again = add_site(db, name="Tea again", key="tea", now=later)
    assert again.id == site.id
    clear_sites()
    assert CAUSES not in shown_after(page, monkeypatch, PATIENCE)
