"""The scripts that Streamlit gets: their modules joined into one text."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.script import joined_script
from tests.helpers.seed import make_site, make_visits
from tests.pages.conftest import Database, OpenPage

PAGES = Path(__file__).parents[3] / "pages"
ENTRIES = (
    "parts/breakdowns/client/breakdowns.js",
    "live/client/numbers.js",
    "live/client/panel.js",
    "parts/chat/client/component.js",
    "parts/pulse/client/pulse.js",
    "parts/table/table.js",
)


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


def test_what_streamlit_sends_of_a_component_only_loads_it(
    database: Database, open_page: OpenPage
) -> None:
    make_visits(database.engine, make_site(database.engine), 3, now=datetime.now(UTC))
    sent = {element.proto.component_name: element.proto for element in components(open_page())}
    assert {"visitor_monitor_table", "visitor_monitor_pulse"} <= sent.keys()
    for proto in sent.values():
        assert len(proto.js_content) < 1_500 and not proto.css_content
        assert "\nexport default " in proto.js_content


def components(page: AppTest) -> Any:
    return page.get("bidi_component")
