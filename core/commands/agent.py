"""python -m core agent: who can sign in to the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from core.accounts.accounts import (
    Account,
    AccountError,
    add_account,
    check_email,
    count_accounts,
    existing_account,
    limit_account,
    list_accounts,
    remove_account,
    set_account,
    set_password,
)
from core.accounts.identity import Role
from core.accounts.links import LINK_LASTS, link_path, make_link
from core.accounts.passwords import PasswordError, hash_password
from core.accounts.team import read_team
from core.agents import AgentError, check_agent_name, list_agents
from core.command_error import CommandError
from core.commands.account_rows import HEADINGS, account_row, row_of_no_account
from core.commands.new_password import ask_password, read_password
from core.commands.owner_database import IN_FORCE, owner_database
from core.commands.rows import echo_rows
from core.database import reading, writing
from core.moment import utc_now
from core.sites import existing_site, list_sites

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.settings import Settings

_FAULTS = (AccountError, AgentError, PasswordError)
_roles = click.Choice([role.word for role in Role])
_from_stdin = click.option(
    "--password-stdin",
    "from_stdin",
    is_flag=True,
    help="Read the password from the standard input.",
)
_by_link = click.option(
    "--link", "by_link", is_flag=True, help="Print a link by which they set the password, once."
)


@click.group()
def agent() -> None:
    """Who can sign in to the dashboard, and what they may do."""


@agent.command("add")
@click.argument("name")
@click.option("--email", required=True, help="By which they sign in.")
@click.option(
    "--role",
    type=_roles,
    required=True,
    help="A viewer sees; an agent also chats; an admin also sets up sites and accounts.",
)
@click.option("--site", "keys", multiple=True, help="A site's key: they see no other; repeatable.")
@_from_stdin
@_by_link
def add(
    name: str, email: str, role: str, keys: tuple[str, ...], from_stdin: bool, by_link: bool
) -> None:
    """Add an account for a colleague, and ask for its password.

    With the first one, everybody who opens the dashboard has to sign in.
    """
    with owner_database(*_FAULTS) as (chosen, engine):
        known = check_agent_name(name), check_email(email)
        hashed = _hashed(known, from_stdin, by_link)
        now, secret = utc_now(), ""
        with writing(engine) as db:
            is_first = not count_accounts(db)
            account = add_account(db, *known, Role[role.upper()], now)
            if keys:
                limit_account(db, account.id, _site_ids(db, keys))
            if hashed:
                set_password(db, account.id, hashed)
            else:
                secret = make_link(db, account.id, now)
            has_admin = _has_admin(db)
    click.echo(f"Added {account.agent.name} as {role}, with the number {account.id}. {IN_FORCE}")
    _show_link(chosen, secret, now)
    _show_first_steps(chosen, account, is_first, has_admin)


@agent.command("list")
def show() -> None:
    """List the accounts, and the agents who have none: they cannot sign in."""
    with owner_database() as (_, engine), reading(engine) as db:
        team = read_team(db, utc_now())
        keys = {site.id or 0: site.key for site in list_sites(db)}
    rows = [account_row(member, keys) for member in team.members]
    rows += map(row_of_no_account, team.others)
    if rows:
        echo_rows(HEADINGS, *rows)
    if not team.members:
        click.echo("Nobody can sign in yet: python -m core agent add NAME --email E --role admin")


@agent.command("set")
@click.argument("id", type=int)
@click.option("--name", help="A new name.")
@click.option("--email", help="A new address, by which they sign in.")
@click.option("--role", type=_roles, help="What they may do from now on.")
@click.option("--site", "keys", multiple=True, help="The only sites from now on; repeatable.")
@click.option("--all-sites", is_flag=True, help="They see every site from now on.")
def change(
    id: int,
    name: str | None,
    email: str | None,
    role: str | None,
    keys: tuple[str, ...],
    all_sites: bool,
) -> None:
    """Change an account; what is not named stays as it is.

    With --email and --role an agent who has no account gets one, and keeps their chats.
    """
    if keys and all_sites:
        raise click.UsageError("--site and --all-sites exclude each other.")
    if name is None and email is None and role is None and not keys and not all_sites:
        raise click.UsageError("Nothing to change: see python -m core agent set --help.")
    with owner_database(*_FAULTS) as (chosen, engine), writing(engine) as db:
        _refuse_unknown(db, id)
        is_first = not count_accounts(db)
        new_role = None if role is None else Role[role.upper()]
        account = set_account(db, id, name=name, email=email, role=new_role)
        if keys or all_sites:
            account = limit_account(db, id, _site_ids(db, keys) if keys else None)
        has_admin, member = _has_admin(db), read_team(db, utc_now()).find(id)
    click.echo(f"Changed {account.agent.name}. {IN_FORCE}")
    if member and not (member.ways or member.link_until or _has_service(chosen)):
        click.echo(f"They cannot sign in yet: python -m core agent reset {id} --link")
    _show_first_steps(chosen, account, is_first, has_admin)


@agent.command("remove")
@click.argument("id", type=int)
@click.option("--yes", is_flag=True, help="Remove the account without asking.")
def remove(id: int, yes: bool) -> None:
    """Remove an account and sign it out. The name stays in its chats."""
    with owner_database(*_FAULTS) as (chosen, engine):
        with reading(engine) as db:
            account = _account(db, id)
        if not yes:
            click.confirm(f"Remove {account.agent.name} ({account.agent.email})?", abort=True)
        with writing(engine) as db:
            removed, is_last = remove_account(db, id), not count_accounts(db)
    click.echo(f"Removed {removed.name}. {IN_FORCE}")
    if is_last and not _has_service(chosen):
        click.echo(
            "Nobody can sign in any more: the dashboard serves this machine only, and asks nobody."
        )


@agent.command("reset")
@click.argument("id", type=int)
@_from_stdin
@_by_link
def reset(id: int, from_stdin: bool, by_link: bool) -> None:
    """Give an account a new password, and sign it out everywhere."""
    with owner_database(*_FAULTS) as (chosen, engine):
        with reading(engine) as db:
            account = _account(db, id)
        hashed = _hashed((account.agent.name, account.agent.email), from_stdin, by_link)
        now, secret = utc_now(), ""
        with writing(engine) as db:
            set_password(db, id, hashed)
            if not hashed:
                secret = make_link(db, id, now)
    done = "has a new password" if hashed else "has no password any more"
    click.echo(f"{account.agent.name} {done}, and is signed out everywhere. {IN_FORCE}")
    _show_link(chosen, secret, now)


def _hashed(known: Sequence[str], from_stdin: bool, by_link: bool) -> str:
    """The hash of the new password, "" when a link is to be made."""
    if from_stdin and by_link:
        raise click.UsageError("--password-stdin and --link exclude each other.")
    if by_link:
        return ""
    return hash_password(read_password(*known) if from_stdin else ask_password(*known))


def _site_ids(db: Connection, keys: Sequence[str]) -> list[int]:
    return [existing_site(db, key).id or 0 for key in keys]


def _refuse_unknown(db: Connection, id: int) -> None:
    if id not in [each.id for each in list_agents(db)]:
        raise CommandError(f"There is no agent with the number {id}: python -m core agent list")


def _account(db: Connection, id: int) -> Account:
    _refuse_unknown(db, id)
    if id not in [account.id for account in list_accounts(db)]:
        raise CommandError(
            f"This agent has no account yet: python -m core agent set {id} --email E --role agent"
        )
    return existing_account(db, id)


def _has_admin(db: Connection) -> bool:
    return any(account.role is Role.ADMIN for account in list_accounts(db))


def _has_service(chosen: Settings) -> bool:
    """Whether an issuer or a proxy signs people in, so that they need no password."""
    return bool(chosen.oidc_issuer or chosen.sign_in_header)


def _show_link(chosen: Settings, secret: str, now: datetime) -> None:
    if not secret:
        return
    ends_at = now + LINK_LASTS
    click.echo(
        "By this link they set the password. It works once, for whoever has it, "
        f"until {ends_at:%Y-%m-%d %H:%M} UTC:"
    )
    click.echo(f"{chosen.dashboard_address}{link_path(secret)}")
    if not chosen.dashboard_url:
        click.echo(
            "It is for a browser on this machine. Set MONITOR_DASHBOARD_URL for one that others reach."
        )


def _show_first_steps(chosen: Settings, account: Account, is_first: bool, has_admin: bool) -> None:
    if is_first and not _has_service(chosen):
        click.echo(
            "From now on everybody has to sign in to the dashboard, on this machine too: "
            f"{chosen.dashboard_address}/sign-in"
        )
    if not has_admin:
        click.echo(
            "Nobody can set up sites and accounts in the dashboard until there is an admin: "
            f"python -m core agent set {account.id} --role admin"
        )
