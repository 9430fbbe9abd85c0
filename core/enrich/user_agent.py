"""The browser, the operating system and the kind of device that a user agent names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from core.enrich.browser import OTHER, name_browser
from core.enrich.device import hide_model

if TYPE_CHECKING:
    from ua_parser import Parser

# Longer ones are hostile or padded; what matters is at the front. Keeps every pattern fast.
LONGEST_USER_AGENT = 512
LONGEST_BRANDS = 512
LONGEST_HINT = 50

DESKTOP, MOBILE, TABLET, TV = "Desktop", "Mobile", "Tablet", "TV"


@dataclass(frozen=True, slots=True)
class UserAgent:
    """Names to show. Versions are left out: browsers freeze them. "Other" when unknown."""

    browser: str
    os: str
    device: str
    in_app: bool


def read_user_agent(
    user_agent: str,
    *,
    brands: str = "",
    platform: str = "",
    mobile: str = "",
    touch_points: int = 0,
) -> UserAgent:
    """What the user agent and the client hints say.

    `brands`, `platform` and `mobile` are the Sec-CH-UA headers as received; `touch_points` is
    navigator.maxTouchPoints, which alone tells an iPad that poses as a Mac.
    """
    # Cut before they are remembered, so that hostile headers cannot fill the memory.
    return _read(
        user_agent[:LONGEST_USER_AGENT],
        brands[:LONGEST_BRANDS],
        platform[:LONGEST_HINT].strip(' "'),
        mobile[:LONGEST_HINT].strip(),
        min(max(touch_points, 0), 2),
    )


@lru_cache(maxsize=4_096)
def _read(user_agent: str, brands: str, platform: str, mobile: str, touch_points: int) -> UserAgent:
    plain = hide_model(user_agent)
    os = _os(user_agent, plain, platform, touch_points)
    browser = name_browser(plain, _browser_family(plain), os, brands)
    return UserAgent(browser.name, os, _device(user_agent, os, mobile), browser.in_app)


def _browser_family(user_agent: str) -> str:
    """That of ua-parser; "" where it knows none."""
    found = _browser_parser().parse_user_agent(user_agent)
    return found.family if found else ""


def _os_family(user_agent: str) -> str:
    """That of ua-parser; "" where it knows none."""
    found = _os_parser().parse_os(user_agent)
    return found.family if found else ""


# Two parsers, loaded when somebody comes who needs them: 12 MB and 0.1 s. Neither has the patterns of devices, which are
# 15 MB more. Hardly anybody needs the systems' one: _OS_TOKENS know nearly all.
@cache
def _browser_parser() -> Parser:
    from ua_parser import Parser, load_lazy_builtins

    return Parser.from_matchers((load_lazy_builtins()[0], [], []))


@cache
def _os_parser() -> Parser:
    from ua_parser import Parser, load_lazy_builtins

    return Parser.from_matchers(([], load_lazy_builtins()[1], []))


_OS_TOKENS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"Windows Phone|IEMobile", "Windows Phone"),
        (r"iPad", "iPadOS"),
        (r"iPhone|iPod", "iOS"),
        (r"Harmony", "HarmonyOS"),
        (r"(?i:kaios)", "KaiOS"),
        (r"Tizen", "Tizen"),
        (r"(?i:web0s|webos)|NetCast", "webOS"),
        (r"(?i:playstation)", "PlayStation"),
        (r"Nintendo", "Nintendo"),
        (r"\bCrOS\b", "ChromeOS"),
        (r"Android|\bAdr\b|\bSilk/", "Android"),
        # An Xbox too: it says Windows, and the device tells that it is a console.
        (r"Windows|\bWin(?:64|32|NT)\b", "Windows"),
        (r"AppleTV|tvOS", "tvOS"),
        (r"Macintosh|Mac OS X|Mac_PowerPC|Darwin", "macOS"),
        (r"FreeBSD", "FreeBSD"),
        (r"OpenBSD", "OpenBSD"),
        (r"Linux|X11|Ubuntu|Fedora", "Linux"),
    )
)
_OS_HINTS = {
    "Windows": "Windows",
    "macOS": "macOS",
    "Mac OS X": "macOS",
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
    "Linux": "Linux",
    "iOS": "iOS",
    "HarmonyOS": "HarmonyOS",
    "OpenHarmony": "HarmonyOS",
}
# Where an agent may pose as another system to get desktop pages; Android, say, never poses.
_OPEN_TO_OS_HINT = ("", "Windows", "macOS", "Linux")
# Browsers that exist on iOS alone, asking for desktop pages as "Macintosh".
_IOS_BROWSER = re.compile(r"\b(?:CriOS|FxiOS|EdgiOS|OPT|OPX|OPiOS|M[Xx]iOS|GSA)/")


def _os(user_agent: str, plain: str, hint: str, touch_points: int) -> str:
    """plain: the user agent without its device's model."""
    os = next((name for token, name in _OS_TOKENS if token.search(user_agent)), "")
    if os == "macOS" and ((touch_points > 1 and not hint) or _IOS_BROWSER.search(user_agent)):
        return "iPadOS"
    if os in _OPEN_TO_OS_HINT and hint in _OS_HINTS:
        return _OS_HINTS[hint]
    return os or _os_family(plain) or OTHER


_TV = re.compile(
    r"\b(?:TV|AppleTV|HbbTV|GoogleTV|SMART-TV|SmartTV|SmartHub|CrKey|Roku|VIDAA|BRAVIA|Xbox)\b"
    r"|NetCast|[Ww]eb0S|MiTV|PlayStation [345]|Nintendo (?:Switch|Wii)|\bAFT[A-Z]{1,6}\d?\b"
)
_TABLET = re.compile(r"\bTablet\b(?! PC)|PlayBook|Kindle")
_MOBILE = re.compile(
    r"Mobi|\bPhone\b|BlackBerry|Opera Mini|UCWEB|Symbian|Series[46]0|PlayStation (?:Vita|Portable)"
)
_HANDHELD = ("Android", "HarmonyOS")


def _device(user_agent: str, os: str, mobile_hint: str) -> str:
    if os in ("iOS", "KaiOS", "Windows Phone"):
        return MOBILE
    if os == "iPadOS":
        return TABLET
    if _TV.search(user_agent) or os == "tvOS":
        return TV
    if os in ("Windows", "macOS", "ChromeOS"):
        return DESKTOP
    if mobile_hint == "?1":
        return MOBILE
    if _TABLET.search(user_agent) or (os in _HANDHELD and mobile_hint == "?0"):
        return TABLET
    if _MOBILE.search(user_agent):
        return MOBILE
    return TABLET if os in _HANDHELD else DESKTOP
