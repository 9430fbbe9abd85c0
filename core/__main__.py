"""python -m core: the owner's command line."""

from __future__ import annotations

import click

from core.commands.agent import agent
from core.commands.backup import backup
from core.commands.export import export
from core.commands.move import move
from core.commands.restore import restore
from core.commands.site import site
from core.commands.trends import trends
from core.commands.visitor import visitor


@click.group()
def main() -> None:
    """Visitor Monitor's commands. They may run while the collector and the dashboard do."""


main.add_command(site)
main.add_command(agent)
main.add_command(visitor)
main.add_command(backup)
main.add_command(restore)
main.add_command(move)
main.add_command(trends)
main.add_command(export)

if __name__ == "__main__":
    main(prog_name="python -m core")
