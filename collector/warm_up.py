"""What only a visitor needs: patterns and lists that tell browsers, robots, sources and countries apart."""

from __future__ import annotations

import os
from importlib.util import find_spec

from core.command_error import CommandError
from core.enrich.bot import is_bot
from core.enrich.browser import browsers_file
from core.enrich.country import country_name, country_of_time_zone
from core.enrich.source import find_source
from core.enrich.source_table import sources_file
from core.enrich.user_agent import read_user_agent

_LIBRARIES = ("is_bot", "regex", "tzdata", "ua_parser", "ua_parser_builtins")


class IncompleteInstallation(CommandError):
    """Something of it is not there."""

    exit_code = os.EX_CONFIG
    """What a service manager knows by that a restart is no cure."""


def warm_up() -> None:
    """Load it, before the workers are forked, which then share it, and the first visitor waits for it."""
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
    read_user_agent(agent)
    read_user_agent("")  # of a system that is to be looked for
    is_bot(agent)
    find_source(referrer="https://shop.example/", own_host="www.shop.example")
    country_name(country_of_time_zone("Europe/Berlin"))


def refuse_incomplete_installation() -> None:
    """Raise IncompleteInstallation where some of it is not there: else the first visitor would show that."""
    missing = [name for name in _LIBRARIES if not _is_installed(name)]
    missing += [file.name for file in (browsers_file(), sources_file()) if not file.is_file()]
    if missing:
        raise IncompleteInstallation(
            f"The installation is incomplete, {' and '.join(missing)} missing: install it again, "
            "and pip install -r requirements.txt."
        )


def _is_installed(name: str) -> bool:
    """A folder that was left of a library is none."""
    found = find_spec(name)
    return found is not None and found.origin is not None
