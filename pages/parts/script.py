"""The script of a component, joined from its modules.

Streamlit takes a component's script as one text. The imports in the modules are for readers and for
the tools that check them; there is no build step.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import [^"]*"([^"]+)"\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)


def joined_script(entry: Path) -> str:
    """The module and all that it imports, each once, and after its own imports.

    All modules of a script share one scope, so each name may be declared once.
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
