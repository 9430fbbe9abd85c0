"""Minify the browser scripts into embed/dist/, which the collector serves.

    python embed/build.py           write the minified files
    python embed/build.py --check   compare them with the sources, and check their sizes

Exits 1, with one line that says what to do, when a file is stale or larger than its limit.
"""

import gzip
import json
import re
import sys
from pathlib import Path

import minify

EMBED = Path(__file__).resolve().parent
ADAPTERS = EMBED / "adapters"
DIST = EMBED / "dist"
LIMITS = {
    "visitor-monitor.js": 3_000,
    "visitor-monitor-signals.js": 1_536,
    "visitor-monitor-chat.js": 5_000,
}
"""Bytes after `gzip -9` (own rule: the tag must cost a page next to nothing)."""
SOURCES = {"visitor-monitor-chat.js": "chat/dialog.js"}
"""Where a script is not named as it is served."""
ADAPTER_LIMIT = 700
"""The same for each of embed/adapters/*.js, which tell of a chat tool that the page has."""

_CONSTANT = re.compile(r"^ *const ([A-Z][A-Z_]+) =\s+([^;]+);(?: //.*)?\n", re.MULTILINE)
_STYLE = re.compile(r"(?<=^const style = `)[^`]+", re.MULTILINE)
_GLOBAL = re.compile(r"^ \* Global: (\S+)$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """The exit status: 0, or 1 after one line on stderr."""
    is_check = arguments == ["--check"]
    if arguments and not is_check:
        return _fail(f"embed/build.py knows --check only, not {' '.join(arguments)}")
    DIST.mkdir(exist_ok=True)
    for name, (source, limit) in _scripts().items():
        script = minified(source.read_text("utf-8"))
        size = compressed_size(script)
        if size > limit:
            path = source.relative_to(EMBED)
            return _fail(f"embed/{path} has {size} bytes after gzip -9: the limit is {limit}")
        target = DIST / name
        if not is_check:
            target.write_text(script, "utf-8")
        elif not target.exists() or target.read_text("utf-8") != script:
            return _fail(f"embed/dist/{name} is stale: run python embed/build.py and commit it")
        sys.stdout.write(f"embed/dist/{name}: {size} of {limit} bytes after gzip -9\n")
    return 0


def minified(source: str) -> str:
    """The script without what only people need."""
    return minify.string("text/javascript", _inlined(_styled(_with_chats(source)))) + "\n"


def compressed_size(script: str) -> int:
    """Bytes after `gzip -9`."""
    return len(gzip.compress(script.encode(), 9, mtime=0))


def _scripts() -> dict[str, tuple[Path, int]]:
    """Source and limit of each script, by its name in embed/dist/."""
    scripts = {name: (EMBED / SOURCES.get(name, name), limit) for name, limit in LIMITS.items()}
    chats = {f"visitor-monitor-{name}.js": (path, ADAPTER_LIMIT) for name, path in _chats().items()}
    return {**chats, **scripts}


def _chats() -> dict[str, Path]:
    """The file that knows a chat tool, by the global that tells of the tool."""
    return {_global_of(path): path for path in sorted(ADAPTERS.glob("*.js"))}


def _with_chats(source: str) -> str:
    """The source with the list of the chat tools' globals."""
    return source.replace("const CHATS = [];", f"const CHATS = {json.dumps([*_chats()])};")


def _global_of(path: Path) -> str:
    found = _GLOBAL.search(path.read_text("utf-8"))
    if found is None:
        raise SystemExit(
            f"embed/adapters/{path.name}: add the line ' * Global: NAME' to the comment at its head"
        )
    return found[1]


def _styled(source: str) -> str:
    """The source with its style sheet, if there is one, minified: to JavaScript it is a text."""
    return _STYLE.sub(lambda found: minify.string("text/css", found[0]), source)


def _inlined(source: str) -> str:
    """The source with each constant in CAPITALS replaced by its value: the minifier keeps them."""
    for name, value in _CONSTANT.findall(source):
        source = re.sub(rf"\b{name}\b(?! =)", value.replace("\\", r"\\"), source)
    return _CONSTANT.sub("", source)


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
