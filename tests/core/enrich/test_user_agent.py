import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.user_agent import UserAgent, read_user_agent

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "user_agents.csv").open()))
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/154.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['browser']}-{row['os']}")
def test_agent_is_recognised(row: dict[str, str]) -> None:
    found = read_user_agent(
        row["user_agent"],
        brands=row["brands"],
        platform=row["platform"],
        mobile=row["mobile"],
        touch_points=int(row["touch_points"]),
    )
    wanted = UserAgent(row["browser"], row["os"], row["device"], row["in_app"] == "1")
    assert found == wanted


@pytest.mark.parametrize(
    ("brands", "browser"),
    [
        ('"Not/A)Brand";v="8", "Chromium";v="154", "Google Chrome";v="154"', "Chrome"),
        ('"Chromium";v="154", "Not?A_Brand";v="24"', "Chrome"),
        ('" Not;A Brand";v="99", "Brave";v="154"', "Brave"),
        ('"Microsoft Edge";v="154", "Not.A/Brand";v="8"', "Edge"),
        ('"YaBrowser";v="25", "Yowser";v="2.5"', "Yandex"),
        ('"Opera GX";v="120"', "Opera"),
        ('"Wavebox";v="10"', "Wavebox"),
        ('"<b>";v="10"', "Chrome"),
        ("Brave", "Chrome"),
        ('"', "Chrome"),
    ],
)
def test_specific_brand_names_the_browser(brands: str, browser: str) -> None:
    assert read_user_agent(WINDOWS, brands=brands).browser == browser


def test_brand_does_not_override_a_named_browser() -> None:
    assert read_user_agent(f"{WINDOWS} Edg/154.0.0.0", brands='"Brave";v="154"').browser == "Edge"


@pytest.mark.parametrize(("touch_points", "os"), [(0, "macOS"), (1, "macOS"), (2, "iPadOS")])
def test_touch_distinguishes_an_ipad_from_a_mac(touch_points: int, os: str) -> None:
    agent = (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/27.0 Safari/605.1.15"
    )
    assert read_user_agent(agent, touch_points=touch_points).os == os


IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_4 like Mac OS X) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko)"
)
PLACES_OF_A_TOKEN = (
    "{} Mobile/15E148 Version/26.4",
    "{} Mobile/15E148 Version/26.4 Safari/604.1",
    "{} Version/26.4 Mobile/15E148 Safari/604.1",
    "Version/26.4 {} Mobile/15E148 Safari/604.1",
    "Version/26.4 Mobile/15E148 {} Safari/604.1",
    "Version/26.4 Mobile/15E148 Safari/604.1 {}",
    "{} Mobile/15E148",
    "Mobile/15E148 {}",
)


@pytest.mark.parametrize("place", PLACES_OF_A_TOKEN)
@pytest.mark.parametrize(
    ("token", "browser", "in_app"),
    [
        ("FxiOS/155", "Firefox", False),
        ("FxiOS/155.0", "Firefox", False),
        ("FxiOS/8.1 Focus", "Firefox", False),
        ("Focus/155", "Firefox", False),
        ("CriOS/155", "Chrome", False),
        ("EdgiOS/155", "Edge", False),
        ("OPT/6", "Opera", False),
        ("OPX/3", "Opera", False),
        ("Brave/1", "Brave", False),
        ("Ddg/26.6", "DuckDuckGo", False),
        ("DuckDuckGo/7", "DuckDuckGo", False),
        ("(Ecosia ios@11.2)", "Ecosia", False),
        ("YaBrowser/26", "Yandex", False),
        ("Vivaldi/7", "Vivaldi", False),
        ("Whale/3", "Whale", False),
        ("UCBrowser/13", "UC Browser", False),
        ("MQQBrowser/14", "QQ Browser", False),
        ("MXiOS/6", "Maxthon", False),
        ("MxiOS/6", "Maxthon", False),
        ("Aloha/2", "Aloha Browser", False),
        ("AlohaBrowser/5", "Aloha Browser", False),
        ("Arc/1", "Arc", False),
        ("ArcMobile2/1", "Arc", False),
        ("Orion/1", "Orion", False),
        ("Dolphin/11", "Dolphin", False),
        ("Mercury/9", "Mercury", False),
        ("Ghostery/3", "Ghostery", False),
        ("OnionBrowser/3", "Onion Browser", False),
        ("QwantMobile/4", "Qwant", False),
        ("Sleipnir/4", "Sleipnir", False),
        ("AvastSecureBrowser/5", "Avast Secure Browser", False),
        ("baidubrowser/3", "Baidu Browser", False),
        ("GSA/439", "Google app", True),
        ("AppleNews/608", "Apple News app", True),
        ("Barcelona/300", "Threads app", True),
        ("LINE/14", "LINE", True),
        ("Instagram 300", "Instagram app", True),
        ("[FBAN/FBIOS;FBAV/400]", "Facebook app", True),
        ("Snapchat/12", "Snapchat app", True),
        ("Twitter for iPhone/10", "X app", True),
        ("MicroMessenger/8", "WeChat", True),
    ],
)
def test_token_on_ios_names_the_browser_wherever_it_stands(
    place: str, token: str, browser: str, in_app: bool
) -> None:
    found = read_user_agent(f"{IPHONE} {place.format(token)}", touch_points=5)
    assert found == UserAgent(browser, "iOS", "Mobile", in_app)


@pytest.mark.parametrize("token", ["FxiOS/155", "CriOS/155", "EdgiOS/155", "OPX/3", "MXiOS/6"])
def test_ios_browser_that_asks_for_desktop_pages_is_on_an_ipad(token: str) -> None:
    agent = (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        f"(KHTML, like Gecko) {token} Version/26.4 Safari/605.1.15"
    )
    assert read_user_agent(agent).os == "iPadOS"


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text(), st.integers())
def test_nothing_raises(agent: str, brands: str, platform: str, mobile: str, touch: int) -> None:
    read_user_agent(agent, brands=brands, platform=platform, mobile=mobile, touch_points=touch)


@pytest.mark.parametrize(
    "agent",
    ["Mozilla/5.0 (Linux; Android 4.4; " + "Build/" * 2_000, "Mozilla/5.0 " + "(" * 8_000,
     "A" * 100_000, "; wv) " * 2_000, "Mozilla/5.0 (Windows NT " + "1." * 4_000],
    ids=["builds", "brackets", "letters", "web views", "numbers"],
)  # fmt: skip
def test_hostile_agent_is_quick(agent: str) -> None:
    started = time.perf_counter()
    read_user_agent(agent, brands=agent, platform=agent)
    assert time.perf_counter() - started < 0.5
