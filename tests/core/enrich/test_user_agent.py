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
