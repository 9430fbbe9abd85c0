"""The script of a component, joined from the modules that it is written in.

Streamlit takes a component's script as one text. So the modules' imports are there for who reads
them and for the tools that check them; nothing has to be built.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import [^"]*"([^"]+)"\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)


def joined_script(entry: Path) -> str:
    """The module and all that it imports, each once, and after what it imports itself.

    What one module calls something, no other of the script may call so.
    """
    joined: dict[Path, str] = {}
    _add(entry.resolve(), joined)
    return "\n".join(joined.values())


def _add(module: Path, joined: dict[Path, str]) -> None:
    source = module.read_text(encoding="utf-8")
    for name in _IMPORT.findall(source):
        imported = (module.parent / name).resolve()
        if imported not in joined:
            _add(imported, joined)
    joined[module] = _EXPORT.sub("", _IMPORT.sub("", source))
