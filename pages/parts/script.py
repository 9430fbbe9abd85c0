"""Components: the script of each, joined from its modules, in a file that browsers keep.

The imports in the modules are for readers and for the tools that check them; there is no build step.
Streamlit sends a component's script and style with every draw, so what it gets is only what loads them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from streamlit.components import v2

from pages.server.script_files import publish_script

_LOADER = Path(__file__).with_name("loader.js")
_DATA = Path(__file__).with_name("component_data.js")
_COMMENT = re.compile(r"^ *(//.*|/\*\*(.|\n)*?\*/)\n", re.MULTILINE)
_SPACE = re.compile(r"\n\s+")
_IMPORT = re.compile(r'^import [^"]*"([^"]+)"\n', re.MULTILINE)
_BASE_STYLES = Path(__file__).with_name("base.css")
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)


def component(name: str, script: Path, *styles: Path) -> Any:
    """A component of Streamlit's second version, to be called with `key`, `data` and `on_..._change`."""
    read_data = _DATA.read_text(encoding="utf-8")
    sheet = _sheet(joined_styles(*styles))
    address = publish_script(name, f"{joined_script(script)}\n{read_data}\n{sheet}")
    loader = _SPACE.sub("\n", _COMMENT.sub("", _LOADER.read_text(encoding="utf-8")))
    return v2.component(name, js=loader.replace("ADDRESS OF THE SCRIPT", address))


def joined_script(entry: Path) -> str:
    """The module and all that it imports, each once, and after its own imports.

    All modules of a script share one scope, so each name may be declared once.
    """
    joined: dict[Path, str] = {}
    _add(entry.resolve(), joined)
    return "\n".join(joined.values())


def joined_styles(*files: Path) -> str:
    """The styles that all components have, then those of the files."""
    return "\n".join(file.read_text(encoding="utf-8") for file in (_BASE_STYLES, *files))


def _sheet(styles: str) -> str:
    """A style sheet that all instances of the component share."""
    return (
        "export const componentStyles = new CSSStyleSheet()\n"
        f"componentStyles.replaceSync({json.dumps(styles)})\n"
    )


def _add(module: Path, joined: dict[Path, str]) -> None:
    source = module.read_text(encoding="utf-8")
    for name in _IMPORT.findall(source):
        imported = (module.parent / name).resolve()
        if imported not in joined:
            _add(imported, joined)
    joined[module] = _EXPORT.sub("", _IMPORT.sub("", source))
