"""How a page listens for an invitation: one for all windows of a browser, and never in the way of the page."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page

from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.network_gate import answer
from tests.helpers.shop import Shop


def test_one_window_of_a_browser_listens(shop: Shop, context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    one.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.chats("listen")) == 1)
    other.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    _next_answer(shop, other, "/p3")
    assert len(shop.chats("listen")) == 1

    one.goto("about:blank")
    shop.until_event("h")
    _next_answer(shop, other, "/p4")
    shop.until(lambda: len(shop.chats("listen")) == 2)


def test_browsers_of_two_visitors_both_listen(
    shop: Shop, make_context: Callable[..., BrowserContext]
) -> None:
    for number in (1, 2):
        make_context().new_page().goto(shop.url("/p1"))
        shop.until(lambda number=number: len(shop.chats("listen")) == number)


def test_refused_call_comes_again_with_a_later_answer(shop: Shop, page: Page) -> None:
    """And says nothing to the page, nor to the console: the context's pages fail on either."""
    shop.set_chat_fault(answer(204, {"X-Drop-Reason": "not_now"}))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.chats("listen")) == 1)
    shop.set_chat_fault(None)
    _next_answer(shop, page, "/p2")
    shop.until(lambda: [each.status for each in shop.chats("listen")] == [204, 200])


def test_visitor_who_chats_does_not_listen(shop: Shop, page: Page, agent: AgentAtWork) -> None:
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.chats("listen")) == 1)
    agent.invite(shop)
    page.get_by_role("button", name="Chat", exact=True).click()
    shop.until(lambda: agent.conversation(shop).state == "open")
    _next_answer(shop, page, "/p2")
    page.goto(shop.url("/p3"))
    shop.until_paths("/p1", "/p2", "/p3")
    assert len(shop.chats("listen")) == 1


def _next_answer(shop: Shop, page: Page, path: str) -> None:
    """Have the page go on within its application, and take the answer to what it sends of that."""
    views = len(shop.events("v"))
    page.evaluate("path => history.pushState({}, '', path)", path)
    shop.until_event("v", views + 1)
    page.wait_for_timeout(200)
