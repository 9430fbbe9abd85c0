"""python -m core: the owner's command line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import make_url

from core.command_error import CommandError, exit_in_one_line
from core.database import is_sqlite, open_database, reading, writing
from core.moment import utc_now
from core.schema import SchemaError, check_schema
from core.settings import Settings, SettingsError, settings
from core.sites import SiteChanges, SiteError, add_site, change_site, list_sites

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.tables import Site

_switch = click.Choice(["on", "off"])
_IN_FORCE = "In force within 5 seconds."


@click.group()
def main() -> None:
    """Visitor Monitor's commands. They may run while the collector and the dashboard do."""


@main.group()
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
    with _database() as (chosen, engine), writing(engine) as db:
        added = add_site(
            db, name=name, key=key, domains=domains, time_zone=time_zone, now=utc_now()
        )
    click.echo(f"Added {added.name} with the key {added.key}. {_IN_FORCE}")
    click.echo("Put this into the head of its pages:")
    click.echo(_tag(chosen, added.key))


@site.command("list")
def show() -> None:
    """List the websites: key, name, tracking, time zone and domains."""
    with _database() as (_, engine), reading(engine) as db:
        sites = list_sites(db)
    if not sites:
        click.echo("There is no site yet: python -m core site add NAME")
        return
    rows = [("KEY", "NAME", "TRACKING", "TIME ZONE", "DOMAINS"), *map(_row, sites)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@site.command("set")
@click.argument("key")
@click.option("--name", help="A new name.")
@click.option("--domain", "domains", multiple=True, help="The domains from now on; repeatable.")
@click.option("--any-domain", is_flag=True, help="Accept every origin from now on.")
@click.option("--time-zone", help="Where the site's day begins, for example Europe/Berlin.")
@click.option("--tracking", type=_switch, help="Off: nothing is taken, and the tag falls silent.")
@click.option("--null-origin", type=_switch, help="Take beacons of pages without an origin.")
def change(
    key: str,
    name: str | None,
    domains: tuple[str, ...],
    any_domain: bool,
    time_zone: str | None,
    tracking: str | None,
    null_origin: str | None,
) -> None:
    """Change a website; what is not named stays as it is."""
    if any_domain and domains:
        raise click.UsageError("--any-domain and --domain exclude each other.")
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
    if not changes:
        raise click.UsageError("Nothing to change: see python -m core site set --help.")
    with _database() as (_, engine), writing(engine) as db:
        changed = change_site(db, key, **changes)
    click.echo(f"Changed {changed.key}. {_IN_FORCE}")


@contextmanager
def _database() -> Generator[tuple[Settings, Engine]]:
    """The settings and the database; an error ends the command with one line and exit code 1."""
    with exit_in_one_line(SettingsError, SchemaError, SiteError):
        chosen = settings()
        _refuse_missing(chosen.database_url)
        engine = open_database(chosen.database_url)
        check_schema(engine)
        yield chosen, engine
        engine.dispose()


def _refuse_missing(database_url: str) -> None:
    """Opening a SQLite file would create it and its folder, which only the collector does."""
    file = make_url(database_url).database if is_sqlite(database_url) else None
    if file and not Path(file).exists():
        raise CommandError(
            f"There is no database at {file}: start the collector once: python -m collector"
        )


def _row(site: Site) -> tuple[str, ...]:
    tracking = "on" if site.tracking_enabled else "off"
    return site.key, site.name, tracking, site.time_zone, ", ".join(site.domains) or "any"


def _tag(chosen: Settings, key: str) -> str:
    source = f"{chosen.public_address}/embed/visitor-monitor.js"
    return f'<script async src="{source}" data-site="{key}"></script>'


if __name__ == "__main__":
    main(prog_name="python -m core")
