"""The scripts that Streamlit gets: their modules joined into one text."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pages.parts.script import joined_script

PAGES = Path(__file__).parents[3] / "pages"
ENTRIES = ("parts/chat/client/component.js", "parts/chat/client/pulse.js", "parts/table/table.js")


def test_each_module_is_there_once_after_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export const one = 1\n")
    (tmp_path / "two.js").write_text(
        'import { one } from "./one.js"\nexport const two = one + one\n'
    )
    (tmp_path / "entry.js").write_text(
        'import { one } from "./one.js"\nimport {\n  two,\n} from "./two.js"\n'
        "export default () => one + two\n"
    )
    assert joined_script(tmp_path / "entry.js").split("\n") == [
        "const one = 1",
        "",
        "const two = one + one",
        "",
        "export default () => one + two",
        "",
    ]


@pytest.mark.parametrize("entry", ENTRIES)
def test_script_of_a_component_stands_alone(entry: str) -> None:
    script = joined_script(PAGES / entry)
    assert not re.findall(r"^import\b.*", script, re.MULTILINE)
    assert re.findall(r"^export\b.*?(?=\()", script, re.MULTILINE) == [
        "export default function draw"
    ]


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_two_modules_of_a_script_use_the_same_name(entry: str) -> None:
    declared = r"^(?:export default )?(?:async )?(?:class|const|function|let) (\w+)"
    names = Counter(re.findall(declared, joined_script(PAGES / entry), re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []
