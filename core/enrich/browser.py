"""The browser's name: by a token of its own, a client-hint brand, or ua-parser's family."""

import csv
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

OTHER = "Other"


class Browser(NamedTuple):
    """A name to show, and whether the page is shown inside another app."""

    name: str
    in_app: bool


def name_browser(user_agent: str, family: str, os: str, brands: str) -> Browser:
    """The browser of a user agent (both headers cut by the caller), `family` being ua-parser's name for it.

    A specific brand in `brands` (the header Sec-CH-UA) replaces only Chrome and an unnamed app:
    a browser that hides its name in the user agent looks like one of these.
    """
    for pattern, browser in _tokens():
        if pattern.search(user_agent):
            return browser
    if family in _APP_FAMILIES:
        return Browser(_APP_FAMILIES[family], True)
    name = _engine_name(_FAMILIES.get(family, family) or OTHER, user_agent, os)
    unnamed_app = _unnamed_app(user_agent, name, os, brands)
    if name != "Chrome" and not unnamed_app:
        return Browser(name, False)
    brand = _brand(brands)
    return Browser(brand or unnamed_app or name, not brand and bool(unnamed_app))


def _engine_name(name: str, user_agent: str, os: str) -> str:
    """Safari is Apple's alone; what else passes for it is named after its engine."""
    if name != "Safari":
        return name
    if "Chrome/" in user_agent:  # "Chrome/119", a version too short for ua-parser
        return "Chrome"
    return "WebKitGTK" if os == "Linux" else name


_APPLE = ("iOS", "iPadOS", "macOS")
_WEB_VIEW = re.compile(r"; wv\)|\bVersion/4\.0 Chrome/")
_WEB_VIEW_BRAND = '"Android WebView"'


def _unnamed_app(user_agent: str, name: str, os: str, brands: str) -> str:
    if os in _APPLE:
        # Safari signs with "Safari/"; a WKWebView that gives no name of its own does not.
        nameless = name in ("Safari", "Apple Mail", OTHER) and "AppleWebKit/" in user_agent
        app = "macOS in-app" if os == "macOS" else "iOS in-app"
        return app if nameless and "Safari/" not in user_agent else ""
    if name == "Chrome" and (_WEB_VIEW.search(user_agent) or _WEB_VIEW_BRAND in brands):
        return "Android in-app"
    return ""


_BRAND = re.compile(r'"((?:[^"\\]|\\.){1,40})"\s*;\s*v=')
_PLAIN_NAME = re.compile(r"[A-Za-z][\w .+-]*")
# Made up by Chromium in ever new spellings, so that nobody relies on the list of brands.
_GREASE = re.compile(r"not[^a-z]*an?[^a-z]*b(?:rand|rowser)|grease", re.IGNORECASE)
_COMMON_BRANDS = frozenset({
    "Chromium", "Google Chrome", "Google Chrome for Testing", "Chrome", "Android WebView",
    "HeadlessChrome",
})  # fmt: skip
_BRAND_NAMES = {
    "Microsoft Edge": "Edge",
    "Microsoft Edge WebView2": "Edge",
    "Opera GX": "Opera",
    "OperaMobile": "Opera",
    "Opera Mini Android": "Opera",
    "YaBrowser": "Yandex",
    "Yandex Browser": "Yandex",
    "Yowser": "Yandex",
    "Naver Whale": "Whale",
    "HuaweiBrowser": "Huawei Browser",
    "Amazon Silk": "Silk",
    "Ecosia Browser": "Ecosia",
    "Miui Browser": "Mi Browser",
    "MiuiBrowser": "Mi Browser",
}


def _brand(brands: str) -> str:
    found = [brand for brand in _BRAND.findall(brands) if _is_specific(brand)]
    # Yandex sends "YaBrowser" and "Yowser"; a name that we know beats one that we do not.
    known = next((brand for brand in found if brand in _BRAND_NAMES), "")
    brand = known or (found[0] if found else "")
    return _BRAND_NAMES.get(brand, brand)


def _is_specific(brand: str) -> bool:
    plain = _PLAIN_NAME.fullmatch(brand) is not None
    return plain and brand not in _COMMON_BRANDS and not _GREASE.search(brand)


def browsers_file() -> Traversable:
    """Where the table is."""
    return resources.files("core.enrich") / "data" / "browsers.csv"


@cache
def _tokens() -> tuple[tuple[re.Pattern[str], Browser], ...]:
    """Apps first (their pages carry the system browser's name too), then browsers that ua-parser misses in some
    spellings ("FxiOS/155" for want of a ".0"). Firefox on iOS last: others are built on it."""
    text = browsers_file().read_text(encoding="utf-8")
    return tuple(
        (re.compile(row["pattern"]), Browser(row["name"], row["in_app"] == "1"))
        for row in csv.DictReader(text.splitlines())
    )


_APP_FAMILIES = {
    "Facebook": "Facebook app",
    "Facebook Messenger": "Messenger",
    "Google": "Google app",
    "Instagram": "Instagram app",
    "KakaoTalk": "KakaoTalk",
    "LINE": "LINE",
    "LinkedIn": "LinkedIn app",
    "Pinterest": "Pinterest app",
    "Snapchat": "Snapchat app",
    "Telegram": "Telegram",
    "TikTok": "TikTok app",
    "Twitter": "X app",
    "WeChat Browser": "WeChat",
    "Weibo": "Weibo",
}
_FAMILIES = {
    **dict.fromkeys(("Chrome Mobile", "Chrome Mobile iOS", "Chrome Mobile WebView"), "Chrome"),
    **dict.fromkeys(("HeadlessChrome", "Chromium"), "Chrome"),
    **dict.fromkeys(("Mobile Safari", "Mobile Safari UI/WKWebView", "WebKit Nightly"), "Safari"),
    **dict.fromkeys(("Edge Mobile", "Edge iOS", "Edge WebView2"), "Edge"),
    **dict.fromkeys(("Firefox Mobile", "Firefox iOS", "Firefox Alpha", "Firefox Beta"), "Firefox"),
    **dict.fromkeys(("Firefox Focus", "Firefox Klar", "Firefox ($1)", "Focus"), "Firefox"),
    **dict.fromkeys(("Opera Mobile", "Opera Mini", "Opera GX", "Opera Touch"), "Opera"),
    **dict.fromkeys(("Opera Neon", "Opera Coast", "Opera Tablet"), "Opera"),
    **dict.fromkeys(("IE", "IE Mobile", "IE Large Screen"), "Internet Explorer"),
    **dict.fromkeys(("QQ Browser Mobile", "QQ Browser Mini"), "QQ Browser"),
    **dict.fromkeys(("Ecosia Android", "Ecosia iOS"), "Ecosia"),
    "Quark PC": "Quark",
    "Amazon Silk": "Silk",
    "Android": "Android Browser",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "MiuiBrowser": "Mi Browser",
    "Seznam prohlížeč": "Seznam",
    "Yandex Browser": "Yandex",
}
