"""table_types.d.ts names what component.py gives the table."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pages.parts.table.component import (
    Chip,
    Clock,
    Colour,
    Column,
    Filter,
    Kind,
    RowAction,
    Toolbar,
)
from tests.helpers.type_declarations import PAGES, declared_keys

TYPES = "parts/table/table_types.d.ts"
DECLARED = {
    "ChipJson": Chip,
    "ClockJson": Clock,
    "ColourJson": Colour,
    "ColumnJson": Column,
    "FilterJson": Filter,
    "RowActionJson": RowAction,
    "ToolbarJson": Toolbar,
}


@pytest.mark.parametrize("interface", DECLARED)
def test_each_class_is_declared_as_it_is(interface: str) -> None:
    assert declared_keys(TYPES, interface) == {field.name for field in fields(DECLARED[interface])}


def test_each_kind_of_cell_is_declared() -> None:
    source = (PAGES / TYPES).read_text(encoding="utf-8")
    declared = source.partition("export type CellKind =")[2].partition("\n\n")[0]
    assert set(declared.replace("|", " ").replace('"', " ").split()) == {
        kind.value for kind in Kind
    }
