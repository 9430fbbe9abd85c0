"""A transaction that does not end stops its own site, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from sqlalchemy import text

from core.database import open_database, writing
from core.locks import lock_site, take_sites
from core.sites import find_site
from tests.helpers.collector_chats import attend, offer_chat
from tests.helpers.running_collector import RunningCollector, view

VISIT = "b1b2c3d4e5f6g7h8"


@contextmanager
def stalled_site(database_url: str, key: str) -> Iterator[int]:
    """The id of the site, which a transaction locks for as long as the context lasts."""
    engine = open_database(database_url)
    with writing(engine) as db:
        # Else the server would end it after ten seconds.
        db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        site = find_site(db, key)
        assert site is not None and site.id is not None
        lock_site(db, site.id)
        yield site.id
    engine.dispose()


def test_stalled_transaction_of_a_site_stops_no_other_site(run_collector, postgres_url):
    collectors: list[RunningCollector] = [run_collector(postgres_url) for _ in range(2)]
    one = collectors[0]
    for collector in collectors:
        offer_chat(collector)
        collector.post(view())
    attend(one)
    one.change_site("open", chat_button=True)
    one.refresh_sites()
    with stalled_site(postgres_url, "shop1") as stalled, ThreadPoolExecutor(4) as pool:
        refused = [pool.submit(each.post, view(2)) for each in collectors]
        chat = {"s": "a1b2c3d4e5f6g7h8", "t": "tab00001", "n": "visitor0001", "x": "Hello"}
        refused.append(pool.submit(partial(one.call, "open", None, **chat)))
        for number in range(1, 20):
            for collector in collectors:
                answer = collector.post(view(number), site="open", visit=VISIT)
                assert answer.status_code == 200
        opened = one.call("open", k="open", s=VISIT, t="tab00001", n="visitor0001", x="Hello")
        assert opened.status_code == 200, opened.text
        sent = one.call("send", k="open", c=opened.json()["c"], n="visitor0002", x="Hi")
        assert sent.status_code == 200, sent.text
        one.change_site("open", name="Another")
        assert [each.result().status_code for each in refused] == [503, 503, 503]
        with writing(one.engine) as db:
            assert take_sites(db, [stalled]) == set()
    for collector in collectors:
        assert collector.post(view(2)).status_code == 200
    counted = one.rows("SELECT site_id, count(*) FROM page_view GROUP BY site_id ORDER BY 1")
    assert counted == [(1, 2), (2, 19)]
