"""The names that a TypeScript declaration file gives to what Python writes."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "pages"


def declared_keys(file: str, interface: str) -> set[str]:
    """The interface's own properties, and those of the one that it extends."""
    source = (PAGES / file).read_text(encoding="utf-8")
    found = re.search(
        rf"^(?:export )?interface {interface}(?: extends (\w+))? {{\n(.*?)^}}",
        source,
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"{file} declares no interface {interface}"
    keys = set(re.findall(r"^  (\w+)\??:", found[2], re.MULTILINE))
    return keys | (declared_keys(file, found[1]) if found[1] else set())
