"""Crawlers as ua-parser knows them, by a few of its patterns."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ua_parser import parse_device

from core.enrich.spider import is_spider

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[3]
WORDS = ("Silk/3.68", "yahoo", "zao", "Yeti", "WhatsApp", "BingPreview", "PetalBot", "Nutch", "")
TEMPLATES = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 {} Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 {} Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 {} Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 {} like Chrome/108 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; {}; rv:11.0) like Gecko",
    "Nokia6230/2.0 (03.14) Profile/MIDP-2.0 {}",
    "SonyEricssonK800i/R1ED Browser/NetFront/3.3 {}",
    "{}",
)


def agents() -> Iterator[str]:
    for file in ("bots.csv", "user_agents.csv"):
        for row in csv.DictReader((DATA / file).open()):
            yield row["user_agent"]
    for template in TEMPLATES:
        yield from map(template.format, WORDS)


def is_spider_by_all(agent: str) -> bool:
    """A phone of the name "Spider" has another brand."""
    device = parse_device(agent)
    return device is not None and device.family == device.brand == "Spider"


def test_few_patterns_say_what_all_say() -> None:
    said = {agent: is_spider(agent) for agent in agents()}
    by_all = {agent: is_spider_by_all(agent) for agent in said}
    assert said == by_all
    assert any(said.values()) and not all(said.values())


@pytest.mark.parametrize(
    "agent", [each.format("Silk/3.68") for each in TEMPLATES[2:4]] + [TEMPLATES[0].format("")]
)
def test_people_need_no_more_than_the_few(agent: str) -> None:
    code = f"from core.enrich import spider; spider.is_spider({agent!r}); print(spider._all_devices.cache_info().currsize)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert found.stdout == b"0\n"
