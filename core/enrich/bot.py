"""Machines that visit pages: crawlers, previews, monitors, headless browsers, HTTP libraries."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from core.enrich.device import hide_model
from core.enrich.spider import is_spider
from core.enrich.user_agent import LONGEST_BRANDS, LONGEST_USER_AGENT

if TYPE_CHECKING:
    from is_bot import Bots  # pyright: ignore[reportMissingTypeStubs]

# Machines that is-bot and ua-parser miss, and what every machine's name ends in.
_MACHINE = re.compile(
    r"bot\b|bot/|\bbots?[_ -]|crawl|spider|slurp|headless|lighthouse|gtmetrix|pingdom|phantomjs"
    r"|puppeteer|playwright|selenium|webdriver|cypress|pagespeed|webpagetest|\bptst\b|prerender"
    r"|rendertron|facebookexternalhit|externalfetcher|bingpreview|google-(?!app)|googleother"
    r"|mediapartners|feedfetcher|uptime|site24x7|statuscake|datadog|newrelic|dynatrace|catchpoint"
    r"|screaming frog|jsdom|debugbear|checkly|hexometer|wp[- ]rocket|wkhtmlto|^dalvik/|^dart/"
    r"|microsoft office/|\bms-?office\b|\+https?://|compatible; [\w.-]+/\d[\d.]*; \+"
    r"|\b(?:gptbot|claude-\w+|chatgpt-user|oai-search|perplexity-user|mistralai|cohere|anthropic"
    r"|deepseek|duckassist|novaact|manus-user|bytespider|diffbot|scrapy|curl|wget|okhttp|axios"
    r"|aiohttp|httpx|node-fetch|undici|guzzle|libwww|python-requests|go-http-client)\b",
    re.IGNORECASE,
)
_MACHINE_BRAND = re.compile(
    r"headless|playwright|puppeteer|selenium|webdriver|phantomjs|cypress", re.IGNORECASE
)
# Words that only look like a machine's: a make of phones, LG's televisions, package names, and
# Sogou's browser, which signs behind a version (its crawlers are "spiders" besides).
_NO_MACHINE = re.compile(
    r"\bcubot\b|\bwebappmanager\b|\bcom\.google\.[\w.]+|(?<=\d )sogou\w*(?:/[\d.]+)?",
    re.IGNORECASE,
)
_PHONE = re.compile(r"Mozilla/5\.0 \((?:iPhone|iPad|iPod|Linux; (?:U; )?Android)")
# Readers of news: SmartNews, NewsBreak/24, bbc.mobile.news.ww/6. "News" alone is a machine's
# word to is-bot, but not on a phone.
_NEWS_APP = re.compile(r"(?<=[ \[])[\w.-]{0,60}news[\w./-]{0,60}", re.IGNORECASE)
# People inside apps: is-bot's loose words ("google", "news", "url", "|") match them by chance,
# because their user agents spell out maker, operator and language.
_PERSON_IN_APP = re.compile(
    r"^Mozilla/5\.0 \((?:iPhone|iPad|iPod|Linux; (?:U; )?Android)[^)]*\).*(?:\[FB|\bFB_IAB|Instagram "
    r"|MicroMessenger/|[Bb]ytedanceWebview|musical_ly|\btrill_|Snapchat/|\[Pinterest/|\[LinkedInApp"
    r"|NAVER\(inapp|KAKAOTALK|\bLine/\d|\bGSA/|\bBarcelona |Twitter for |NewsArticle/)"
)


def is_bot(user_agent: str, *, brands: str = "", webdriver: bool = False) -> bool:
    """Whether a machine sent this; `brands` is the header Sec-CH-UA as received.

    No user agent at all is no proof: some people's proxies and browsers take it off.
    """
    # Cut before they are remembered, so that hostile headers cannot fill the memory.
    return webdriver or _is_machine(user_agent[:LONGEST_USER_AGENT], brands[:LONGEST_BRANDS])


@lru_cache(maxsize=4_096)
def _is_machine(user_agent: str, brands: str) -> bool:
    if _MACHINE_BRAND.search(brands):
        return True
    user_agent = _NO_MACHINE.sub("", hide_model(user_agent)).strip()
    if not user_agent:
        return False
    if _MACHINE.search(user_agent):
        return True
    if _PERSON_IN_APP.search(user_agent):
        return False
    if _PHONE.match(user_agent):
        user_agent = _NEWS_APP.sub("", user_agent).strip()
    return _bots().is_bot(user_agent) or is_spider(user_agent)


@cache
def _bots() -> Bots:
    """Its library of patterns is loaded when the first visitor comes, as ua-parser is."""
    from is_bot import Bots  # pyright: ignore[reportMissingTypeStubs]

    return Bots()
