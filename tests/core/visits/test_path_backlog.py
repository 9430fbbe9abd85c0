"""Paths that an earlier version has stored become readable, bite by bite."""

from sqlalchemy import text

from core.database import reading, writing
from core.tables import PageView
from core.visits.path_backlog import make_some_paths_readable
from core.visits.tab_state import TabState, VisitMemory, read_memory, write_memory

TEA = "/%D1%87%D0%B0%D0%B9"


def rows(database, sql):
    with reading(database) as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_paths_are_read_a_few_visits_at_a_time(database, store, make_visit, now):
    memory = VisitMemory(tabs={"a": TabState(1, 2, path=TEA, title="50 %")}, current_tab="a")
    for name in ("v1", "v2", "v3"):
        store(
            make_visit(
                name, entry_path=TEA, current_path=f"{TEA}/a%2Fb", memory=write_memory(memory)
            ),
            *(
                PageView(site_id=7, visit_id=name, tab="a", number=number, viewed_at=now, path=path)
                for number, path in enumerate((TEA, "/cart", "/a%2Fb"), 1)
            ),
        )
    left = []
    for _ in range(3):
        with writing(database) as connection:
            left.append(make_some_paths_readable(connection, visits=2))
        read = rows(database, "SELECT count(*) FROM visit WHERE entry_path = '/чай'")
        left.append(read[0][0])

    assert left == [True, 2, False, 3, False, 3]
    assert set(rows(database, "SELECT current_path FROM visit")) == {("/чай/a%2Fb",)}
    views = rows(database, "SELECT path, count(*) FROM page_view GROUP BY path")
    assert sorted(views) == [("/a%2Fb", 3), ("/cart", 3), ("/чай", 3)]
    for (stored,) in rows(database, "SELECT memory FROM visit"):
        tab = read_memory(stored).tabs["a"]
        assert (tab.path, tab.title) == ("/чай", "50 %")
    assert rows(database, "SELECT * FROM backlog") == []
