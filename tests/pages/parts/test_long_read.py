"""A long read tells how far it is, and ends once nobody waits for it."""

from __future__ import annotations

from threading import Event

import pytest

from core.accounts.identity import Role
from core.tables import Site
from core.trends import TellShare
from pages.parts import long_read
from pages.parts.long_read import read_with_progress
from tests.helpers.seed import make_site
from tests.pages.conftest import Database

SOON = 10.0


@pytest.fixture
def site(database: Database, cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(long_read, "QUICK", 0)
    monkeypatch.setattr(long_read, "SHOW_EVERY", 0.01)
    return make_site(database.engine)


def test_share_is_shown_while_the_answer_is_waited_for(site: Site) -> None:
    shown: list[float] = []
    is_seen = Event()

    def show(share: float) -> None:
        shown.append(share)
        if share == 0.5:
            is_seen.set()

    def question(_db: object, tell: TellShare) -> str:
        tell(0.5)
        assert is_seen.wait(SOON)
        return "the answer"

    assert read_with_progress(Role.VIEWER, question, site, show) == "the answer"
    assert shown[-1] == 0.5


def test_question_ends_once_the_page_runs_again(site: Site) -> None:
    ended = Event()

    def question(_db: object, tell: TellShare) -> None:
        try:
            for _ in range(int(SOON / 0.01)):
                tell(0.1)
                Event().wait(0.01)
        except Exception:
            ended.set()
            raise

    def show(_share: float) -> None:
        raise RuntimeError("the page runs again")

    with pytest.raises(RuntimeError, match="runs again"):
        read_with_progress(Role.VIEWER, question, site, show)
    assert ended.wait(SOON)


def test_what_the_question_raises_is_raised(site: Site) -> None:
    def question(_db: object, _tell: TellShare) -> None:
        raise ValueError("of the question")

    with pytest.raises(ValueError, match="of the question"):
        read_with_progress(Role.VIEWER, question, site, lambda _share: None)
