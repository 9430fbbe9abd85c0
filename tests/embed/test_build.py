"""The minified files are those of the sources, and small."""

import shutil
import subprocess
import sys
from pathlib import Path

EMBED = Path(__file__).resolve().parents[2] / "embed"


def run_check(folder):
    return subprocess.run(
        [sys.executable, folder / "build.py", "--check"], capture_output=True, text=True
    )


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
        script.write(f"window.more = '{' '.join(str(number**7) for number in range(99))}';\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("embed/visitor-monitor.js has ")
    assert result.stderr.endswith("the limit is 3000\n")


def test_script_looks_for_every_chat_that_has_an_adapter(tmp_path):
    _copy(tmp_path)
    (tmp_path / "adapters" / "next.js").write_text(
        "/*\n * Global: NextChat\n */\nconst next = 1;\n"
    )
    subprocess.run([sys.executable, tmp_path / "build.py"], capture_output=True, check=False)
    assert (tmp_path / "dist" / "visitor-monitor-NextChat.js").read_text() == "const next=1\n"
    assert '"NextChat"' in (tmp_path / "dist" / "visitor-monitor.js").read_text()


def test_adapter_that_names_no_global_is_named_in_one_line(tmp_path):
    _copy(tmp_path)
    (tmp_path / "adapters" / "next.js").write_text("const next = 1;\n")
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "embed/adapters/next.js: add the line ' * Global: NAME' to the comment at its head\n"
    )


def _copy(folder):
    ignored = shutil.ignore_patterns("demo", "__pycache__")
    shutil.copytree(EMBED, folder, ignore=ignored, dirs_exist_ok=True)
