"""A page's URL as the context rules read it: whole words, without what every page carries."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, unquote_plus

from core.enrich import page_words as words

# Of these query keys the beacon sends the value, of those only that they are there.
VALUE_KEYS = ("route", "controller", "action", "post_type", "step")
SEARCH_KEYS = ("s", "q", "search", "search_query")
BARE_KEYS = (*SEARCH_KEYS, "product", "product_id", "path", "cgid", "pid")

# The caller cuts the path and the query to this.
LONGEST_PART = 2_048


@dataclass(frozen=True, slots=True)
class PageUrl:
    """The path's words (locale and shop prefixes taken off) and the query keys.

    A key without a "=" has the value None: it is there, its value was not sent.
    """

    segments: tuple[str, ...]
    keys: Mapping[str, str | None]
    file: str = ""  # the last segment as it stands, with its ".html"
    is_route: bool = False  # the words are a route or controller out of the query
    is_in_shop: bool = False  # below /shop/, /store/ and the like
    is_site_path: bool = False  # Salesforce: /s/<site>/...
    is_numbered: bool = False  # Shopify: /<shop's number>/checkouts/...
    is_widget: bool = False  # Ecwid: #!/~/...

    @property
    def head(self) -> str:
        """The first word, or ""."""
        return self.segments[0] if self.segments else ""

    @property
    def second(self) -> str:
        """The second word, or ""."""
        return self.segments[1] if len(self.segments) > 1 else ""

    @property
    def is_front(self) -> bool:
        """Whether the path says nothing: "/", "/en-gb", "/index.php"."""
        return not self.segments

    @property
    def step(self) -> str:
        """The value of the key "step"."""
        return self.value("step")

    @property
    def is_search_key_used(self) -> bool:
        """Whether something is searched for; "s=" is not."""
        return any(self.keys.get(key, "") != "" for key in SEARCH_KEYS)

    def value(self, key: str) -> str:
        """The value of a query key, lower-case; "" when there is none."""
        return (self.keys.get(key) or "").lower()


def read_page_url(path: str, query: str) -> tuple[PageUrl, PageUrl | None]:
    """The page, and the page that its fragment names ("#!/..." or "#/...") or None.

    `path` may carry keys after a "?", `query` a fragment after a "#".
    """
    path, _, path_fragment = path.partition("#")
    path, _, path_keys = path.partition("?")
    query_keys, _, fragment = query.partition("#")
    keys = _keys(path_keys) | _keys(query_keys)
    page = _from_controller(keys) or _from_path(path, keys)
    fragment = fragment or path_fragment
    return page, _from_fragment(fragment) if fragment.startswith(("!/", "/")) else None


def query_of_url(query: str, fragment: str) -> str:
    """What the beacon sends as `q` for a URL's query and fragment."""
    sent: list[str] = []
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if key in VALUE_KEYS:
            sent.append(part)
        elif key in BARE_KEYS:
            sent.append(key if value or not equals else f"{key}=")
    hash_part = f"#{fragment}" if fragment.startswith(("!/", "/")) else ""
    return "&".join(sent) + hash_part


def _keys(query: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if key:
            found[unquote_plus(key).lower()] = unquote_plus(value).strip() if equals else None
    return found


# --- pages named in the query: OpenCart's route, PrestaShop's and Shopware 5's controller


def _from_controller(keys: Mapping[str, str | None]) -> PageUrl | None:
    route = (keys.get("route") or "").lower()
    if route:
        segments = tuple(re.split(r"[/.|]", route.strip("/")))
        return PageUrl(segments, keys, is_route=True)
    controller = (keys.get("controller") or "").lower()
    if not controller:
        return None
    action = (keys.get("action") or "").lower()
    after = {"product": "view", "detail": "view", "checkout": action}.get(controller, "")
    return PageUrl((controller, after) if after else (controller,), keys)


# --- pages named by the path

_EXTENSION = re.compile(r"\.(?:html?|php|aspx?|jspx?|jsf|do)$")


def _from_path(path: str, keys: Mapping[str, str | None]) -> PageUrl:
    segments = [unquote(segment) for segment in path.split("/") if segment]
    segments = [unicodedata.normalize("NFC", segment).lower() for segment in segments]
    file = segments[-1] if segments else ""
    if segments:
        segments[-1] = _EXTENSION.sub("", segments[-1])
    if segments[:2] == ["on", "demandware.store"]:
        return PageUrl(tuple(segments[-1].split("-", 1)), keys)
    is_site_path = len(segments) > 2 and segments[0] == "s"
    if is_site_path:
        del segments[:2]
    segments, root = _without_prefixes(segments)
    is_numbered = segments[:1] != [] and segments[0].isdecimal() and len(segments) > 1
    if is_numbered and segments[1] in ("checkouts", "orders"):
        del segments[0]
    return PageUrl(
        _split_alias(segments),
        keys,
        file,
        is_in_shop=root in words.COLLECTION_ALONE or (is_site_path and path.endswith("/")),
        is_site_path=is_site_path,
        is_numbered=is_numbered,
    )


# Names of machinery, which every page below carries: /__ecom/checkout, /_app/cart, /-/cart, /v2/cart
_TECHNICAL = re.compile(r"[_~$!.].*|-|v\d{1,2}")


def _without_prefixes(segments: list[str]) -> tuple[list[str], str]:
    """The segments behind up to two locales, two roots and what is technical, and the last root."""
    locales, roots, root = 2, 2, ""
    for at, segment in enumerate(segments):
        is_last = at == len(segments) - 1
        if _TECHNICAL.fullmatch(segment):
            continue
        if locales and _is_locale(segment):
            locales -= 1
        elif (
            roots and segment in words.ROOT and not (is_last and segment in words.COLLECTION_ALONE)
        ):
            roots, root = roots - 1, segment
        else:
            return segments[at:], root
    return [], ""


_LOCALE = re.compile(r"([a-z]{2})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|419|001|150))?")


def _is_locale(segment: str) -> bool:
    match = _LOCALE.fullmatch(segment)
    if match is None:
        return False
    languages, countries = words.locale_codes()
    first, _, second = match.groups()
    if not second:
        return first in languages or first in countries
    if second.isdecimal():
        return first in languages
    return (first in languages and second in countries) or (
        first in countries and second in languages
    )


# Salesforce's controllers under a short address: /en_IT/checkout-begin, /cart-show
_ALIAS = re.compile(r"(cart|product|search|checkout|order)-(show|begin|confirm|variation)")


def _split_alias(segments: list[str]) -> tuple[str, ...]:
    if segments and (match := _ALIAS.fullmatch(segments[0])):
        return (*match.groups(), *segments[1:])
    return tuple(segments)


# --- pages named in the fragment: Ecwid's, and those of applications that route by hash


def _from_fragment(fragment: str) -> PageUrl:
    path, _, query = fragment.lstrip("!").partition("?")
    is_widget = path.startswith("/~/")
    page = _from_path(path.removeprefix("/~"), _keys(query))
    segments = page.segments
    if is_widget and page.head.startswith("checkout") and page.head not in words.THANKS:
        segments = ("checkout", *segments[1:])
    for at, (kind, number) in enumerate(pairwise(segments)):
        if kind in ("p", "c") and number.isdecimal():
            segments = segments[at:]
            break
    return PageUrl(segments, page.keys, page.file, is_widget=is_widget)
