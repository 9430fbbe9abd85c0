"""Real browsers, the real collector, and a website for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.engines.engine import Engine
from tests.helpers.engines.installed import ENGINES, open_engines
from tests.helpers.network_gate import NetworkGate, open_gate
from tests.helpers.profiles import open_profiles
from tests.helpers.shop import Shop, open_shops
from tests.helpers.tabs import Tabs, open_tabs

KEYS = [f"shop{number}" for number in range(400)]


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """The collector, with a site for each test."""
    collector = CollectorProcess(tmp_path_factory.mktemp("collector"), KEYS)
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="session")
def gate(collector: CollectorProcess) -> Iterator[NetworkGate]:
    with open_gate(collector.port) as gate:
        yield gate


@pytest.fixture(scope="session")
def make_shop(gate: NetworkGate, collector: CollectorProcess) -> Iterator[Callable[[], Shop]]:
    keys = iter(KEYS)
    with open_shops(gate, collector.database) as make:
        yield lambda: make(next(keys))


@pytest.fixture
def shop(make_shop: Callable[[], Shop]) -> Shop:
    """A website that no other test has."""
    return make_shop()


@pytest.fixture
def agent(collector: CollectorProcess) -> Iterator[AgentAtWork]:
    """An agent at work during the test, and nobody else."""
    agent = AgentAtWork(collector.database)
    yield agent
    agent.close()


@pytest.fixture
def page_with_back(whole_browser: Browser) -> Iterator[Page]:
    """A page in a browser that keeps pages for Back."""
    with open_profiles(whole_browser) as make:
        yield make().new_page()


@pytest.fixture
def context(make_context: Callable[..., BrowserContext]) -> BrowserContext:
    return make_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def tabs(chromium: str) -> Iterator[Tabs]:
    """A browser of real tabs, which are visible only in front."""
    with open_tabs(chromium) as tabs:
        yield tabs


@pytest.fixture(scope="session")
def find_engine(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Engine]]:
    with open_engines(chromium, tmp_path_factory.mktemp("engines")) as find:
        yield find


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest,
    find_engine: Callable[[str], Engine],
    record_property: Callable[[str, str], None],
) -> Engine:
    """The test runs once in each engine. Which one it was is told at the end of the run."""
    engine = find_engine(request.param)
    record_property("engine", f"{engine.name} {engine.version}")
    return engine
