"""The minified files are those of the sources and of Python's values, and small."""

import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from collector.beacon.wire import MAX_EVENTS
from core.visits.presence import VISIT_ENDS_AFTER

ROOT = Path(__file__).resolve().parents[2]
EMBED = ROOT / "embed"
IGNORED = shutil.ignore_patterns("demo", "__pycache__")


def build(folder, *arguments):
    """Run the build, with the project's own Python unless the folder stands in a copy of it."""
    command = [sys.executable, folder / "build.py", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=variables)


def run_check(folder):
    return build(folder, "--check")


def test_built_files_are_fresh_and_within_their_limits():
    result = run_check(EMBED)
    assert result.returncode == 0, result.stderr


def test_stale_file_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    with (tmp_path / "visitor-monitor-signals.js").open("a") as script:
        script.write("window.changed = 1;\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "embed/dist/visitor-monitor-signals.js is stale: run python embed/build.py and commit it\n"
    )


def test_file_over_its_limit_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    with (tmp_path / "visitor-monitor.js").open("a") as script:
        script.write(f"window.more = '{' '.join(str(number**7) for number in range(199))}';\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("embed/visitor-monitor.js has ")
    assert result.stderr.endswith("the limit is 3620\n")


def test_script_looks_for_every_chat_that_has_an_adapter(tmp_path):
    _copy(tmp_path)
    (tmp_path / "adapters" / "next.js").write_text(
        "/*\n * Global: NextChat\n */\nconst next = 1;\n"
    )
    build(tmp_path)
    assert (tmp_path / "dist" / "visitor-monitor-NextChat.js").read_text() == "const next=1\n"
    assert '"NextChat"' in (tmp_path / "dist" / "visitor-monitor-adapters.js").read_text()


def test_adapter_that_names_no_global_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    (tmp_path / "adapters" / "next.js").write_text("const next = 1;\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "embed/adapters/next.js: add the line ' * Global: NAME' to the comment at its head\n"
    )


@pytest.mark.parametrize(
    ("file", "name", "script"),
    [
        ("core/chat/limits.py", "LONGEST_MESSAGE", "visitor-monitor-chat.js"),
        ("collector/beacon/wire.py", "MAX_EVENTS", "visitor-monitor.js"),
    ],
)
def test_script_is_stale_once_a_value_of_pythons_changes(tmp_path, file, name, script):
    for folder in ("embed", "core", "collector"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=IGNORED)
    source = tmp_path / file
    changed, count = re.subn(rf"^({name} = )[\d_]+$", r"\g<1>19", source.read_text(), flags=re.M)
    assert count == 1
    source.write_text(changed)
    result = run_check(tmp_path / "embed")
    assert result.returncode == 1
    assert result.stderr == (
        f"embed/dist/{script} is stale: run python embed/build.py and commit it\n"
    )


def test_name_that_two_sources_of_a_script_declare_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    with (tmp_path / "chat" / "link.js").open("a") as script:
        script.write("function makeDialog() {}\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "embed/chat/dialog.js and embed/chat/link.js both declare makeDialog:"
        " rename one of the two\n"
    )


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        (
            "import { LONGEST_NAME } from '../core.js';\n",
            "embed/chat/link.js imports LONGEST_NAME from core.js:"
            " add it to HANDED_OVER in embed/build.py and to embed/core.d.ts\n",
        ),
        (
            "import { send } from './sender.js';\n",
            "embed/chat/link.js imports ./sender.js: there is no such file\n",
        ),
        (
            "import * as dialog from './dialog.js';\n",
            "embed/chat/link.js: write the import as import { name } from './file.js';"
            " the build joins no other form\n",
        ),
    ],
)
def test_import_that_cannot_be_joined_is_named_in_one_line(tmp_path, line, cure):
    _copy(tmp_path)
    with (tmp_path / "chat" / "link.js").open("a") as script:
        script.write(line)
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == cure


def test_declaration_that_the_minifier_would_move_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    with (tmp_path / "chat" / "link.js").open("a") as script:
        script.write(
            "function two(a) {\n  const b = a;\n  const [c] = /** @type {any} */ (b);\n}\n"
        )
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "embed/chat/chat.js, or what it imports: the minifier would move 'const [c] ='"
        " before what it needs; give the value in brackets a name first\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VISIT_ENDS_AFTER", VISIT_ENDS_AFTER // timedelta(milliseconds=1)),
        ("MAX_EVENTS", MAX_EVENTS),
    ],
)
def test_pixel_which_is_pasted_as_it_is_has_pythons_value(name, value):
    pixel = (EMBED / "shopify-pixel.js").read_text()
    assert f"const {name} = {value:_};" in pixel


def _copy(folder):
    shutil.copytree(EMBED, folder, ignore=IGNORED, dirs_exist_ok=True)
