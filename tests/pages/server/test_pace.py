"""How often it is said that a site has changed."""

from __future__ import annotations

from pages.server.pace import TELL_EVERY, Pace


def test_first_change_is_told_at_once() -> None:
    pace = Pace()
    pace.add({"tea": 1})
    assert pace.take_due(100.0) == {"tea": 1}
    assert pace.take_due(100.0) == {}
    assert pace.next_at is None


def test_further_changes_wait_and_the_newest_is_told_for_all() -> None:
    pace = Pace()
    pace.add({"tea": 1})
    pace.take_due(100.0)
    for revision in (2, 3, 4):
        pace.add({"tea": revision})
        assert pace.take_due(100.5) == {}
    assert pace.next_at == 100 + TELL_EVERY
    assert pace.take_due(100 + TELL_EVERY) == {"tea": 4}


def test_sites_do_not_wait_for_each_other() -> None:
    pace = Pace()
    pace.add({"tea": 1})
    pace.take_due(100.0)
    pace.add({"tea": 2, "toys": 3})
    assert pace.take_due(101.0) == {"toys": 3}
    pace.add({"toys": 4})
    assert pace.next_at == 100 + TELL_EVERY
    assert pace.take_due(102.9) == {"tea": 2}
    assert pace.next_at == 101 + TELL_EVERY


def test_change_after_a_quiet_while_is_told_at_once() -> None:
    pace = Pace()
    pace.add({"tea": 1})
    pace.take_due(100.0)
    pace.add({"tea": 2})
    assert pace.take_due(100 + TELL_EVERY) == {"tea": 2}
