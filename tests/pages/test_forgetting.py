"""A session that has looked at many visitors and chats holds no more than one that has looked at few."""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import FunctionType, ModuleType

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from core.frames import Journey
from core.tables import Agent, Site
from tests.helpers.dashboard_chats import make_agent, now, secret_of, visitor_opens
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage

FEW, MANY = 3, 15


def visit_of(engine: Engine, site: Site, number: int) -> dict[str, str]:
    """The address of a new visitor's page."""
    make_visit(engine, site, f"visit{number}", now=now(), attributes={"name": f"Nr {number}"})
    return {"visit": f"visit{number}"}


def chat_of(engine: Engine, site: Site, number: int) -> dict[str, str]:
    """The address of a new chat."""
    name = {"name": f"Nr {number}"}
    return {"conversation": visitor_opens(engine, site, f"visit{number}", attributes=name).id}


def transcript_of(engine: Engine, site: Site, number: int) -> dict[str, str]:
    """The address of a transcript of a new chat."""
    chat = visitor_opens(engine, site, f"visit{number}", attributes={"name": f"Nr {number}"})
    chat.ends()
    return {"past": chat.id}


def look_at(page: AppTest, query: dict[str, str], number: int) -> None:
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert f"Nr {number}" in texts(page)


def held(page: AppTest) -> tuple[set[str], int]:
    """The names that the session keeps, those of widgets too, and how many objects hang on them."""
    state = page._session_state._state
    kept = {**state._old_state, **state._new_session_state}
    own = [value for name, value in kept.items() if not str(name).startswith("$$")]
    seen: dict[int, object] = {}
    while own:
        value = own.pop()
        if id(value) not in seen and not isinstance(value, type | ModuleType | FunctionType):
            seen[id(value)] = value
            own += gc.get_referents(value)
    return set(map(str, kept)), len(seen)


@pytest.mark.parametrize(
    ("name", "address_of"),
    [("visitor", visit_of), ("chats", chat_of), ("chats", transcript_of)],
)
def test_session_forgets_what_it_looked_at_before(
    database: Database,
    open_page: OpenPage,
    name: str,
    address_of: Callable[[Engine, Site, int], dict[str, str]],
) -> None:
    site = make_site(database.engine, key="tea")
    agent: Agent = make_agent(database.engine)
    first = address_of(database.engine, site, 0)
    page = open_page(name, site="tea", **first)
    page.session_state["agent_secret"] = secret_of(agent)
    for number in range(1, FEW):
        look_at(page, address_of(database.engine, site, number), number)
    names, objects = held(page)
    for number in range(FEW, MANY):
        look_at(page, address_of(database.engine, site, number), number)
    names_of_many, objects_of_many = held(page)
    assert len(names_of_many) == len(names), names_of_many ^ names
    assert objects_of_many < objects * 1.2
    gc.collect()
    assert sum(isinstance(each, Journey) for each in gc.get_objects()) <= 2
