"""Where a visit came from: the From label and its kind."""

import re
from functools import lru_cache

from core.enrich.registries import public_suffixes
from core.enrich.source_table import Source, SourceKind, plain_name, source_table
from core.enrich.text import clean
from core.enrich.url import LONGEST_HOST, is_ip_host, readable_host, split_host, split_url

LONGEST_LABEL = 100


DIRECT = Source("Direct", SourceKind.DIRECT)
INTERNAL = Source("Direct", SourceKind.INTERNAL)


def find_source(
    *,
    referrer: str = "",
    own_host: str = "",
    utm_source: str = "",
    utm_medium: str = "",
    click_ids: str = "",
) -> Source:
    """The source of a visit's first page view.

    In this order: utm_source (an alias, a host, or shown as it is with a capital first letter),
    the network of a click id, the site's own pages (the registrable domain of `own_host`; kind
    "internal"), the referrer's host in the table, the bare host. `click_ids` are the names of the
    URL's parameters, such as "gclid,fbclid": of several the most telling one counts (CLICK_ORDER).
    The kind is "paid" where the medium or the click id says so.

    A click id alone names its network: "Google Ads", "TikTok Ads", ... where only advertisements
    carry it, and the place itself ("Facebook" for fbclid, "Google" for srsltid, "Mailchimp")
    where unpaid links do too. Beside a utm_source the campaign's name stays ("bing" with msclkid:
    "Bing", paid), except that Google's becomes "Google Ads".

    A browser's own package (android-app://com.android.chrome) tells nothing of where the link
    was: "Direct", while the package of a search app is a search.
    """
    click = _clicked(click_ids) if click_ids else None
    campaign = _campaign_name(utm_source)
    if campaign:
        return _campaign(campaign, clean(utm_medium, LONGEST_LABEL).lower(), click)
    place = _referring_place(referrer, own_host)
    if click:
        return place if _is_of_meta(click, place) else click
    return place


# --- click ids

CLICK_ORDER = (SourceKind.PAID, SourceKind.REFERRAL, SourceKind.EMAIL)
"""Of several click ids: an advertisement's, then an affiliate's, then a mailing's, then those that a
place adds to every link (fbclid, srsltid). Of the same kind, the first one of the table."""


def _clicked(names: str) -> Source | None:
    given = {name.strip().lower() for name in names.split(",")}
    found = [source for name, source in source_table().click_ids.items() if name in given]
    for kind in CLICK_ORDER:
        if of_kind := [source for source in found if source.kind is kind]:
            return of_kind[0]
    return found[0] if found else None


def _is_of_meta(click: Source, place: Source) -> bool:
    """Whether it is the click id that Meta adds to every link, and one of its apps, which a referrer tells apart."""
    table = source_table()
    apps = [table.hosts[host] for host in ("instagram.com", "threads.com", "messenger.com")]
    return click == table.click_ids["fbclid"] and place in apps


# --- campaigns

# What tools write when they know no source, and macros that were never filled in.
_NO_CAMPAIGN = frozenset({"(not set)", "(none)", "none", "null", "undefined", "nan", "unknown"})
_MACRO = re.compile(r"[{}\[\]]|^%|^\$")
_NO_SOURCE = frozenset({"direct", "(direct)"})
# Word by word: "paid_social", "cpc-brand", "Display Ads". Google Analytics' default channels
# (support.google.com/analytics/answer/9756891), and what Google's shopping campaigns are tagged.
_MEDIUM_WORDS = {
    SourceKind.PAID: (
        "ad ads adwords banner cpa cpc cpcv cpe cpi cpl cpm cpp cpv display expandable "
        "interstitial pla pmax ppc programmatic promoted remarketing retargeting sem shopping "
        "sponsored"
    ),
    SourceKind.EMAIL: "crm edm email emailing mail mailing newsletter",
    SourceKind.SOCIAL: "sm social socialmedia",
    SourceKind.SEARCH: "organic seo",
    SourceKind.REFERRAL: "sms mms push webpush",
}
_UNPAID = frozenset({"organic", "free", "unpaid"})  # "organic_shopping", "free-shopping"
_KIND_OF_WORD = {word: kind for kind, words in _MEDIUM_WORDS.items() for word in words.split()}
_WORD = re.compile(r"[^\W_]+")
_HOST_LIKE = re.compile(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+\.?(?:[:/].*)?")


def _campaign_name(utm_source: str) -> str:
    name = clean(utm_source, LONGEST_LABEL)
    return "" if name.lower() in _NO_CAMPAIGN or _MACRO.search(name) else name


def _campaign(name: str, medium: str, click: Source | None) -> Source:
    if name.lower() in _NO_SOURCE:
        return DIRECT
    source = _named_source(name)
    by_medium = _kind_of_medium(medium)
    if by_medium is SourceKind.EMAIL:
        return Source(source.label, by_medium)
    if by_medium is SourceKind.PAID or (click and click.kind is SourceKind.PAID):
        return _paid(source)
    if by_medium is SourceKind.REFERRAL and source.kind is SourceKind.EMAIL:
        return Source(source.label, by_medium)  # Klaviyo and others send text messages too
    if by_medium and source.kind is SourceKind.REFERRAL:
        return Source(source.label, by_medium)
    return source


def _paid(source: Source) -> Source:
    table = source_table()
    if source == table.hosts["google.*"]:
        return table.click_ids["gclid"]
    return Source(source.label, SourceKind.PAID)


@lru_cache(maxsize=1_024)
def _named_source(name: str) -> Source:
    key, aliases = name.lower(), source_table().aliases
    found = aliases.get(key) or aliases.get(plain_name(key))
    if found:
        return found
    if _HOST_LIKE.fullmatch(key):
        url = split_url(key if "//" in key else f"https://{key}")
        if url:
            return _source_of_host(url.host)
    return Source(_capital(name), SourceKind.REFERRAL)


def _capital(name: str) -> str:
    first = name[:1].upper()
    return first + name[1:] if len(first) == 1 else name  # the capital of "ß" would be "SS"


def _kind_of_medium(medium: str) -> SourceKind | None:
    words = set(_WORD.findall(medium.replace("e-mail", "email")))
    kinds = {_kind_of_word(word) for word in words}
    if words & _UNPAID:
        kinds.discard(SourceKind.PAID)
    return next((kind for kind in _MEDIUM_WORDS if kind in kinds), None)


def _kind_of_word(word: str) -> SourceKind | None:
    return SourceKind.PAID if word.startswith("paid") else _KIND_OF_WORD.get(word)


# --- referrers


def _referring_place(referrer: str, own_host: str) -> Source:
    url = split_url(referrer) if referrer else None
    if url is None:
        return DIRECT
    if url.scheme == "android-app":
        return source_table().apps.get(url.host) or Source(
            clean(url.host, LONGEST_LABEL), SourceKind.REFERRAL
        )
    if url.scheme not in ("http", "https"):
        return DIRECT
    if own_host and _site_of(url.host) == _site_of(_bare_host(own_host[:LONGEST_HOST].strip())):
        return INTERNAL
    return _source_of_host(url.host)


@lru_cache(maxsize=4_096)
def _bare_host(text: str) -> str:
    found = split_host(text)
    return found[0] if found else text


@lru_cache(maxsize=4_096)
def _site_of(host: str) -> str:
    """The registrable domain; a host that has none (an address, "localhost") is its own."""
    return host if is_ip_host(host) else public_suffixes().all.privatesuffix(host) or host


@lru_cache(maxsize=4_096)
def _source_of_host(host: str) -> Source:
    if not is_ip_host(host):
        hosts = source_table().hosts
        for name in _names_of_host(host):
            if name in hosts:
                return hosts[name]
    return Source(readable_host(host.strip("[]"))[:LONGEST_LABEL], SourceKind.REFERRAL)


def _names_of_host(host: str) -> list[str]:
    """Every name under which the table may list the host, the longest first.

    "www.google.co.uk" is www.google.co.uk, google.co.uk, ... and, its registry's suffix being
    any, www.google.* and google.*; "google.evil.example" is none of the latter.
    """
    names = _suffixes(host.split("."))
    suffix = public_suffixes().icann.publicsuffix(host, accept_unknown=False)
    owned = host.removesuffix(f".{suffix}") if suffix else host
    if owned == host:
        return names
    labels = owned.split(".")
    starred = [f"{name}.*" for name in _suffixes(labels)]
    return sorted(names + starred, key=lambda name: -name.count("."))


def _suffixes(labels: list[str]) -> list[str]:
    return [".".join(labels[start:]) for start in range(len(labels))]
