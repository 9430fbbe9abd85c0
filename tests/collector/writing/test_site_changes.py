"""Which beacons change a page: their site's number grows, with the rows that they store."""

from __future__ import annotations

import pytest

from core.database import reading
from core.site_changes import changed_sites, site_revisions
from tests.helpers.running_collector import MINUTE, SECOND, view

PRESENCE = {"e": "p", "u": "/", "f": 1, "d": "Home"}
HIDDEN = {"e": "h", "u": "/", "d": "Home"}


def changed_by(collector, *events, site="shop1", **beacon):
    """The keys of the sites that this beacon has changed."""
    with reading(collector.engine) as db:
        before = site_revisions(db).place
    assert collector.post(*events, site=site, **beacon).status_code == 200
    with reading(collector.engine) as db:
        return list(changed_sites(db, before).sites)


def test_new_visit_changes_its_site_alone(collector):
    assert changed_by(collector, view()) == ["shop1"]
    assert changed_by(collector, view(), site="open", visit="b1b2c3d4e5f6g7h8") == ["open"]


def test_two_collectors_raise_one_number(run_collector, postgres_url):
    one, two = run_collector(postgres_url), run_collector(postgres_url)
    assert changed_by(one, view(1)) == ["shop1"]
    assert changed_by(two, view(2, path="/cart")) == ["shop1"]
    assert changed_by(one, view(3, path="/")) == ["shop1"]


@pytest.mark.parametrize(
    ("event", "is_change"),
    [
        (PRESENCE, False),
        ({"e": "p", "u": "/", "a": 2}, False),
        (HIDDEN, True),
        ({**PRESENCE, "d": "Another title"}, True),
        ({**PRESENCE, "x": "cart"}, True),
        (view(path="/cart"), True),
        ({"e": "i", "i": {"name": "Ann"}}, True),
        ({"e": "c", "s": "start"}, True),
    ],
)
def test_change_is_what_a_page_shows(collector, event, is_change):
    collector.post(view(1, d="Home"))
    collector.clock.advance(20 * SECOND)
    assert changed_by(collector, {**event, "n": 2}) == (["shop1"] if is_change else [])


def test_retry_of_a_beacon_changes_nothing(collector):
    collector.post(view(1))
    assert changed_by(collector, view(1)) == []


def test_who_is_away_changes_the_page_by_coming_back(collector):
    collector.post(view(1, d="Home"))
    collector.post({**HIDDEN, "n": 2})
    assert changed_by(collector, {**HIDDEN, "n": 3}) == []
    assert changed_by(collector, {**PRESENCE, "n": 4}) == ["shop1"]


def test_activity_changes_the_page_once_it_was_called_minutes_ago(collector):
    collector.post(view(1, d="Home"))
    for second in range(20, 180, 40):
        collector.clock.advance(40 * SECOND)
        assert changed_by(collector, {**PRESENCE, "n": second}) == []
    assert changed_by(collector, {**PRESENCE, "n": 200, "a": 1}) == ["shop1"]
    collector.clock.advance(MINUTE // 2)
    assert changed_by(collector, {**PRESENCE, "n": 201, "a": 1}) == []


def test_correction_of_an_earlier_page_changes_the_page_of_the_visitor(collector):
    """Its title stands in the list of pages, though another tab's page is the current one."""
    collector.post(view(1, d="Home"))
    collector.post(view(1, path="/cart"), tab="tab00002")
    late = {**PRESENCE, "n": 2, "d": "Late title", "f": 0}
    assert changed_by(collector, late) == ["shop1"]


def test_nothing_is_raised_for_what_is_refused(collector):
    with reading(collector.engine) as db:
        before = site_revisions(db).place
    assert collector.post(PRESENCE | {"n": 1}, visit="c1b2c3d4e5f6g7h8").status_code == 204
    with reading(collector.engine) as db:
        assert site_revisions(db).place == before
