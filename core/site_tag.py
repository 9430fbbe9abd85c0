"""The script tag of a site, to be pasted into its pages or into a tag manager."""

from __future__ import annotations

from urllib.parse import quote

from core.tables import Site


def site_tag(site: Site, collector: str) -> str:
    """The tag, with the collector's public address. It needs no escape: neither a site's key nor a query
    key may have a sign that does."""
    keys = f' data-query="{_keys(site)}"' if site.query_keys else ""
    return f'<script async src="{script_address(collector)}" data-site="{site.key}"{keys}></script>'


def tag_without_attributes(site: Site, collector: str) -> str:
    """The same for tag managers, which drop attributes of ours."""
    keys = f"&query={quote(_keys(site), safe=',')}" if site.query_keys else ""
    return f'<script async src="{script_address(collector)}?site={site.key}{keys}"></script>'


def script_address(collector: str) -> str:
    """Where browsers load the script from."""
    return f"{collector}/embed/visitor-monitor.js"


def _keys(site: Site) -> str:
    return ",".join(site.query_keys)
