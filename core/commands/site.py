"""python -m core site: the websites that are tracked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from core.commands.owner_database import IN_FORCE, owner_database
from core.commands.rows import echo_rows
from core.database import reading, writing
from core.moment import utc_now
from core.removal import removals, remove_site
from core.site_tag import site_tag
from core.sites import SiteChanges, add_site, change_site, existing_site, list_sites

if TYPE_CHECKING:
    from core.settings import Settings
    from core.tables import Site

_switch = click.Choice(["on", "off"])


@click.group()
def site() -> None:
    """The websites that are tracked."""


@site.command("add")
@click.argument("name")
@click.option("--key", default="", help="Stands in the pages' tag; made from the name if left out.")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    help="Origin (https://shop.example) or host with its subdomains (shop.example); "
    "may be repeated. Without any, every origin may report.",
)
@click.option("--time-zone", default="UTC", show_default=True, help="Where the site's day begins.")
def add(name: str, key: str, domains: tuple[str, ...], time_zone: str) -> None:
    """Add a website and print the tag for its pages."""
    with owner_database() as (chosen, engine), writing(engine) as db:
        added = add_site(
            db, name=name, key=key, domains=domains, time_zone=time_zone, now=utc_now()
        )
    click.echo(f"Added {added.name} with the key {added.key}. {IN_FORCE}")
    _show_tag(added, chosen)


@site.command("list")
def show() -> None:
    """List the websites: key, name, tracking, time zone, domains, query keys and own networks; and those
    being deleted."""
    with owner_database() as (_, engine), reading(engine) as db:
        sites, removed = list_sites(db), removals(db)
    _show_sites(sites)
    for removal in removed:
        left = f"{removal.visits_left:,} visits left"
        click.echo(f"Being deleted: {removal.site.name} ({removal.site.key}), {left}")


def _show_sites(sites: Sequence[Site]) -> None:
    if not sites:
        click.echo("There is no site yet: python -m core site add NAME")
        return
    echo_rows(
        ("KEY", "NAME", "TRACKING", "TIME ZONE", "DOMAINS", "QUERY KEYS", "OWN NETWORKS"),
        *map(_row, sites),
    )


@site.command("set")
@click.argument("key")
@click.option("--name", help="A new name.")
@click.option("--domain", "domains", multiple=True, help="The domains from now on; repeatable.")
@click.option("--any-domain", is_flag=True, help="Accept every origin from now on.")
@click.option("--time-zone", help="Where the site's day begins, for example Europe/Berlin.")
@click.option("--tracking", type=_switch, help="Off: nothing is taken, and the tag falls silent.")
@click.option("--null-origin", type=_switch, help="Take beacons of pages without an origin.")
@click.option(
    "--own-network",
    "own_networks",
    multiple=True,
    help="Addresses and networks (203.0.113.7, 203.0.113.0/24) of your own people from now on, whose visits are "
    "not recorded; repeatable.",
)
@click.option("--no-own-networks", is_flag=True, help="Record visits from everywhere from now on.")
@click.option(
    "--query-key",
    "query_keys",
    multiple=True,
    help="The query keys that are part of a page from now on, such as color; repeatable.",
)
@click.option("--no-query-keys", is_flag=True, help="Keep those that the tag sends from now on.")
def change(
    key: str,
    name: str | None,
    domains: tuple[str, ...],
    any_domain: bool,
    time_zone: str | None,
    tracking: str | None,
    null_origin: str | None,
    own_networks: tuple[str, ...],
    no_own_networks: bool,
    query_keys: tuple[str, ...],
    no_query_keys: bool,
) -> None:
    """Change a website; what is not named stays as it is."""
    _refuse_both("--any-domain", any_domain, "--domain", domains)
    _refuse_both("--no-own-networks", no_own_networks, "--own-network", own_networks)
    _refuse_both("--no-query-keys", no_query_keys, "--query-key", query_keys)
    changes = SiteChanges()
    if name is not None:
        changes["name"] = name
    if domains or any_domain:
        changes["domains"] = domains
    if time_zone is not None:
        changes["time_zone"] = time_zone
    if tracking is not None:
        changes["tracking_enabled"] = tracking == "on"
    if null_origin is not None:
        changes["accepts_null_origin"] = null_origin == "on"
    if own_networks or no_own_networks:
        changes["own_networks"] = own_networks
    if query_keys or no_query_keys:
        changes["query_keys"] = query_keys
    if not changes:
        raise click.UsageError("Nothing to change: see python -m core site set --help.")
    with owner_database() as (chosen, engine), writing(engine) as db:
        changed = change_site(db, key, **changes)
    click.echo(f"Changed {changed.key}. {IN_FORCE}")
    if "query_keys" in changes:
        _show_tag(changed, chosen)


def _refuse_both(none: str, is_none: bool, one: str, ones: tuple[str, ...]) -> None:
    if is_none and ones:
        raise click.UsageError(f"{none} and {one} exclude each other.")


@site.command("remove")
@click.argument("key")
@click.option("--yes", "name", help="The site's name: delete it without asking.")
def remove(key: str, name: str | None) -> None:
    """Delete a website with its visits, chats, texts and rules. Nothing brings them back."""
    with owner_database() as (_, engine):
        with reading(engine) as db:
            found = existing_site(db, key)
        if name is None:
            click.echo(f"This deletes {found.name} with all its visits and chats, for good.")
            name = click.prompt("Write the site's name to delete it", type=str)
        with writing(engine) as db:
            remove_site(db, key, name, utc_now())
    click.echo(f"Deleted {found.name}. {IN_FORCE} Its data go as soon as the collector runs.")


def _row(site: Site) -> tuple[str, ...]:
    tracking = "on" if site.tracking_enabled else "off"
    domains, keys = ", ".join(site.domains) or "any", ", ".join(site.query_keys) or "as tagged"
    own = ", ".join(site.own_networks) or "none"
    return site.key, site.name, tracking, site.time_zone, domains, keys, own


def _show_tag(site: Site, chosen: Settings) -> None:
    click.echo("Put this into the head of its pages:")
    click.echo(site_tag(site, chosen.public_address))
