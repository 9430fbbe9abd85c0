"""A page that replaces its own address: one page view that moves, unless much later."""

import time

import pytest

NO_NAVIGATION_API = "delete Window.prototype.navigation; delete window.navigation;"
PUSH = "path => history.pushState({}, '', path)"
REPLACE = "path => history.replaceState({}, '', path)"

both_apis = pytest.mark.parametrize(
    "script", ["", NO_NAVIGATION_API], ids=["navigation", "history"]
)


@both_apis
def test_address_that_is_replaced_at_once_moves_the_page_view(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(REPLACE, "/cart")
    shop.until_paths("/cart")
    visit = shop.visit()
    assert (visit["page_count"], visit["entry_path"], visit["current_path"]) == (
        1,
        "/cart",
        "/cart",
    )
    assert visit["page_context"] == shop.views()[0]["page_context"] == "Cart"


def test_answer_that_comes_late_does_not_put_it_off(shop, page):
    def answer_late(passage, forward):
        reply = forward(passage)
        time.sleep(0.5)
        return reply

    shop.set_fault(answer_late)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(REPLACE, "/cart")
    replaced_at = time.monotonic()
    shop.until_paths("/cart")
    assert time.monotonic() - replaced_at < 10  # the presence after it comes in 20 seconds


@both_apis
def test_page_that_writes_its_state_into_the_path_is_one_page_view(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/map")
    page.wait_for_timeout(200)
    page.evaluate(
        """async () => {
            for (let step = 1; step <= 20; step++) {
                history.replaceState({}, '', `/map/${step},7`);
                await new Promise(done => setTimeout(done, 100));
            }
        }"""
    )
    page.evaluate(PUSH, "/end")
    shop.until_paths("/p1", "/map/20,7", "/end")
    assert shop.visit()["page_count"] == 3
    assert len(shop.events("p")) <= 3


@both_apis
def test_address_that_is_replaced_later_is_a_page_view(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.wait_for_timeout(1_100)
    page.evaluate(REPLACE, "/p2")
    shop.until_paths("/p1", "/p2")
    page.evaluate(PUSH, "/p3")
    shop.until_paths("/p1", "/p2", "/p3")


@both_apis
def test_slash_at_the_end_is_no_page(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/about"))
    shop.until_paths("/about")
    page.wait_for_timeout(1_100)
    page.evaluate(REPLACE, "/about/")
    page.evaluate(PUSH, "/about/?sort=price")
    page.wait_for_timeout(100)
    page.evaluate(PUSH, "/")
    shop.until_paths("/about", "/")
    page.goto(shop.url("/about/"))
    shop.until_paths("/about", "/", "/about/")


def test_page_that_is_left_before_it_told_its_new_address_tells_it_then(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(REPLACE, "/p2")
    page.goto(shop.url("/p3"))
    shop.until_paths("/p2", "/p3")
    assert shop.visit()["entry_path"] == "/p2"
