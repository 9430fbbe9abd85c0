"""What a page's file says of itself, without running it: its title, its sign, who may open it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlit.material_icon_names import ALL_MATERIAL_ICONS

from core.accounts.identity import Role

DEFAULT_ICON = ":material/insert_chart:"
LONGEST_TITLE = 40


@dataclass(frozen=True)
class PageWords:
    """title: for the menu. icon: as Streamlit has it. role: the least one that opens the page."""

    title: str
    icon: str = DEFAULT_ICON
    role: Role = Role.VIEWER


def words_of(file: Path) -> PageWords:
    """What the file says, by the first line of its docstring and the constants TITLE, ICON and ROLE; of one that
    cannot be read as Python, the name of its folder. Whatever is wrong is told when the page is opened."""
    name = file.parent.name.replace("-", " ").replace("_", " ").capitalize()
    try:
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return PageWords(name)
    said = _constants(module)
    first_line, *_ = (ast.get_docstring(module) or "").partition("\n")
    title = said.get("TITLE", "").strip() or first_line.partition(":")[0].strip(" .") or name
    return PageWords(
        title[:LONGEST_TITLE], _icon(said.get("ICON", "")), _role(said.get("ROLE", ""))
    )


def _constants(module: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in module.body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant):
            value: Any = each.value.value
            names = [target.id for target in each.targets if isinstance(target, ast.Name)]
            found |= {name: value for name in names if isinstance(value, str)}
    return found


def _icon(name: str) -> str:
    """Of a name that it does not know, Streamlit would refuse the whole menu."""
    return f":material/{name}:" if name in ALL_MATERIAL_ICONS else DEFAULT_ICON


def _role(word: str) -> Role:
    """A word that is no role closes the page to all but admins."""
    return (Role.of(word) or Role.ADMIN) if word else Role.VIEWER
