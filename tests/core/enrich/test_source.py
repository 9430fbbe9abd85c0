import csv
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.source import find_source
from core.enrich.source_table import Source, SourceKind

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "referrers.csv").open()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['referrer']} {row['landing_url']}")
def test_source_is_named(row: dict[str, str]) -> None:
    landing = urlsplit(row["landing_url"])
    keys = dict(parse_qsl(landing.query))
    click_ids = [key for key in keys if not key.startswith("utm_")]
    found = find_source(
        referrer=row["referrer"],
        own_host=landing.netloc,
        utm_source=keys.get("utm_source", ""),
        utm_medium=keys.get("utm_medium", ""),
        click_ids=",".join(click_ids),
    )
    assert found == Source(row["label"], SourceKind(row["kind"]))


@pytest.mark.parametrize(
    ("utm_source", "utm_medium", "click_ids", "label", "kind"),
    [
        ("google", "", "", "Google", "search"),
        ("google", "organic", "", "Google", "search"),
        ("Google", "PPC", "", "Google Ads", "paid"),
        ("google", "paid_search", "", "Google Ads", "paid"),
        ("google.com", "cpc", "", "Google Ads", "paid"),
        ("google", "", "wbraid", "Google Ads", "paid"),
        ("google", "email", "", "Google", "email"),
        ("adwords", "", "", "Google Ads", "paid"),
        ("fb", "social", "fbclid", "Facebook", "social"),
        ("fb", "paid-social", "", "Facebook", "paid"),
        ("IG", "Story", "", "Instagram", "social"),
        ("LinkedIn", "social", "", "LinkedIn", "social"),
        ("hackernews", "", "", "Hacker News", "social"),
        ("Hacker News", "", "", "Hacker News", "social"),
        ("chatgpt.com", "", "", "ChatGPT", "ai"),
        ("www.perplexity.ai", "referral", "", "Perplexity", "ai"),
        ("newsletter", "", "", "Newsletter", "email"),
        ("spring-mailing", "e-mail", "", "Spring-mailing", "email"),
        ("partner", "", "", "Partner", "referral"),
        ("partner", "social-media", "", "Partner", "social"),
        ("partner", "affiliate", "", "Partner", "referral"),
        ("éclair", "", "", "Éclair", "referral"),
        ("v2.0 launch", "", "", "V2.0 launch", "referral"),
        ("news.example.org", "banner", "", "news.example.org", "paid"),
        ("(direct)", "(none)", "", "Direct", "direct"),
        ("(not set)", "", "", "Direct", "direct"),
        ("{network}", "", "gclid", "Google Ads", "paid"),
        ("  ", "", "GCLID", "Google Ads", "paid"),
        ("", "", "msclkid", "Microsoft Ads", "paid"),
        ("", "", "mc_cid", "Mailchimp", "email"),
        ("", "", "awc", "Awin", "referral"),
        ("", "", "srsltid", "Google", "search"),
        ("", "", "nonsense", "Direct", "direct"),
        ("", "", "fbclid,gclid", "Google Ads", "paid"),
        ("", "", "awc,gad_source", "Google Ads", "paid"),
        ("", "", "fbclid,mc_cid,awc", "Awin", "referral"),
        ("", "", "srsltid,mc_cid", "Mailchimp", "email"),
        ("", "", "ef_id,s_kwcid,msclkid", "Microsoft Ads", "paid"),
        ("", "", "nonsense,ScCid,", "Snapchat Ads", "paid"),
        ("google", "", "srsltid", "Google", "search"),
        ("google", "", "srsltid,gbraid", "Google Ads", "paid"),
        ("", "cpc", "", "Direct", "direct"),
        ("\u202ea\x00b", "", "", "Ab", "referral"),
        ("x" * 500, "", "", "X" + "x" * 99, "referral"),
    ],
)
def test_campaign_is_named(
    utm_source: str, utm_medium: str, click_ids: str, label: str, kind: str
) -> None:
    found = find_source(utm_source=utm_source, utm_medium=utm_medium, click_ids=click_ids)
    assert found == Source(label, SourceKind(kind))


@pytest.mark.parametrize(
    ("referrer", "own_host", "is_internal"),
    [
        ("https://shop.example/", "www.shop.example", True),
        ("https://www.shop.example:8443/", "SHOP.example.:443", True),
        ("https://evilshop.example/", "shop.example", False),
        ("https://shop.example.evil.test/", "shop.example", False),
        ("https://a.co.uk/", "b.co.uk", False),
        ("https://a.github.io/", "b.github.io", False),
        ("http://localhost:1/", "localhost:2", True),
        ("http://10.9.1.1/", "10.9.1.1:8600", True),
        ("http://10.9.1.1/", "11.9.1.1", False),
        ("http://[::1]:80/", "[::1]", True),
        ("https://shop.example/", "", False),
        ("https://shop.example/", "[", False),
    ],
)
def test_own_pages_share_the_registrable_domain(
    referrer: str, own_host: str, is_internal: bool
) -> None:
    found = find_source(referrer=referrer, own_host=own_host)
    assert (found == Source("Direct", SourceKind.INTERNAL)) == is_internal


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_nothing_raises(referrer: str, host: str, source: str, medium: str, click: str) -> None:
    for url in (
        referrer,
        f"https://{referrer}",
        f"android-app://{referrer}",
        f"https://xn--{host}.a",
    ):
        find_source(
            referrer=url, own_host=host, utm_source=source, utm_medium=medium, click_ids=click
        )


@pytest.mark.parametrize(
    "text",
    ["https://" + "a." * 20_000, "https://xn--" + "a" * 20_000, "a.a" * 20_000, "-" * 60_000],
)
def test_hostile_referrer_is_quick(text: str) -> None:
    started = time.perf_counter()
    find_source(referrer=text, own_host=text, utm_source=text, utm_medium=text, click_ids=text)
    assert time.perf_counter() - started < 0.5


def test_every_host_of_the_table_is_found() -> None:
    table = Path(__file__).parents[3] / "core" / "enrich" / "data" / "sources.csv"
    for row in csv.DictReader(table.open()):
        if row["match"] == "host":
            host = row["key"].replace(".*", ".de")
            found = find_source(referrer=f"https://a.{host}:443/x")
            assert found == Source(row["label"], SourceKind(row["kind"])), host
