"""A collector below a path, behind a proxy that takes the path off, and behind one that does not."""

from itertools import count
from urllib.parse import urlsplit

import pytest

from collector.http.assets import BUILT
from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.dialog import chatting, say
from tests.helpers.network_gate import NetworkGate, open_gate
from tests.helpers.shop import Shop, open_shops

PATH = "/tools/monitor"
KEYS = (f"shop{number}" for number in count())
STUB = """window.visitorMonitor = function () {
    (visitorMonitor.q = visitorMonitor.q || []).push(arguments)
};"""


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """The collector, which knows its public address."""
    url = f"https://shop.example{PATH}/"
    keys = ["demo", *(f"shop{number}" for number in range(10))]
    collector = CollectorProcess(tmp_path_factory.mktemp("below"), keys, MONITOR_PUBLIC_URL=url)
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(params=["", PATH], ids=["passed on", "taken off"])
def gate(collector, request):
    """A proxy: what browsers ask for below the path goes to the collector."""
    with open_gate(collector.port) as gate:
        gate.url += PATH
        gate.taken_off = request.param
        yield gate


@pytest.fixture
def shop(gate: NetworkGate, collector: CollectorProcess):
    with open_shops(gate, collector.database) as make:
        yield make(next(KEYS))


def test_everything_goes_where_the_script_came_from(shop: Shop, page, agent: AgentAtWork):
    shop.attributes = 'data-signals="yes"'
    shop.head = "<script>window.Tawk_API = {}</script>"
    dialog, conversation = chatting(shop, page, agent)
    say(shop, dialog, "Hello")
    agent.say(conversation, "Hello again")
    dialog.until_lines("Can I help?", "Hello", "Hello again")
    asked = {urlsplit(passage.path).path for passage in shop.gate.passages}
    files = ("visitor-monitor", "visitor-monitor-signals", "visitor-monitor-chat")
    assert {f"{PATH}/embed/{name}.js" for name in files} <= asked
    assert {f"{PATH}/embed/visitor-monitor-Tawk_API.js", f"{PATH}/v1/beacon"} <= asked
    assert {f"{PATH}/v1/conversation/{action}" for action in ("send", "stream")} <= asked
    assert {path for path in asked if not path.startswith(f"{PATH}/")} == set()


def test_address_of_the_collector_is_taken_with_its_path(shop: Shop, page):
    call = "visitorMonitor('site', '{key}', '{gate}/')"
    copy = (BUILT / "visitor-monitor.js").read_text("utf-8")
    shop.pages |= {
        "/js/visitor-monitor.js": copy,
        "/attribute": '<script src="/js/visitor-monitor.js" data-site="{key}" data-api="{gate}/"></script>',
        "/query": '<script src="/js/visitor-monitor.js?site={key}&api={gate}"></script>',
        "/call": f"<script>{STUB}{call}</script><script>{copy}</script>",
    }
    for path in ("/attribute", "/query", "/call"):
        page.goto(shop.url(path))
        shop.until(lambda path=path: shop.paths()[-1:] == [path])


def test_demo_shop_is_below_the_path(gate: NetworkGate, page):
    answers = []
    page.on("response", lambda answer: answers.append((answer.status, urlsplit(answer.url).path)))
    page.goto(f"{gate.url}/demo")
    with page.expect_response("**/v1/beacon"):
        page.get_by_role("link", name="Guide", exact=True).click()
    page.locator("main a[href*='/demo/guide/']").first.click()
    page.wait_for_url("**/demo/guide/*")
    page.goto(f"{gate.url}/demo/nothing")
    with page.expect_response("**/v1/beacon"):
        page.get_by_role("link", name="Cart").click()
    page.wait_for_url(f"{gate.url}/demo/cart")
    assert {path for _, path in answers if not path.startswith(f"{PATH}/")} == set()
    assert [answer for answer in answers if answer[0] >= 400] == [(404, f"{PATH}/demo/nothing")]
