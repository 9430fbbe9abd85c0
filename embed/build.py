"""Join and minify the browser scripts into embed/dist/, which the collector serves.

    python embed/build.py           write the minified files
    python embed/build.py --check   compare them with the sources, and check their sizes

Exits 1, with one line that says what to do, when a file is stale or larger than its limit.

A script may import other sources by their relative names; they are put before it, in one scope. What
it imports from core.js is defined in Python: the values are put in place of the names, so that a
script is stale once a value changes in Python.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import minify

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from collector.beacon.wire import MAX_EVENTS
from collector.http.body import MAX_BYTES
from collector.http.responses import REFUSED_FOR_GOOD
from core.chat.limits import LONGEST_MESSAGE, TYPING_EVERY
from core.chat.states import INVITED_STATES, OPEN_STATES, ConversationState
from core.chat.words import ENGLISH, LANGUAGES, words_of
from core.enrich.page_url import BARE_KEYS, VALUE_KEYS
from core.enrich.source_table import source_table
from core.enrich.text import LONGEST_PATH_SENT
from core.own_visits import LINK_KEY, OWN
from core.subscribers import SILENT_FOR
from core.visits.presence import ACTIVE_FOR, LONGEST_PRESENCE, VISIT_ENDS_AFTER

EMBED = Path(__file__).resolve().parent
ADAPTERS = EMBED / "adapters"
DIST = EMBED / "dist"
LIMITS = {
    "visitor-monitor.js": 3_620,
    "visitor-monitor-signals.js": 1_536,
    "visitor-monitor-adapters.js": 300,
    "visitor-monitor-click-ids.js": 700,
    "visitor-monitor-history.js": 300,
    "visitor-monitor-listen.js": 500,
    "visitor-monitor-time-zone.js": 300,
    "visitor-monitor-chat.js": 8_700,
    "visitor-monitor-english.js": 700,
}
"""Bytes after `gzip -9` (own rule: the tag must cost a page almost nothing)."""
ADAPTER_LIMIT = 700
"""The same for each of embed/adapters/*.js, which report the chats of a tool that the page has."""
SOURCES = {
    "visitor-monitor-chat.js": "chat/chat.js",
    "visitor-monitor-english.js": "chat/english.js",
}
"""The sources of the scripts whose file has another name than the served one."""


def main(arguments: list[str]) -> int:
    """The exit status: 0, or 1 after one line on stderr."""
    is_check = arguments == ["--check"]
    if arguments and not is_check:
        return _fail(f"embed/build.py knows --check only, not {' '.join(arguments)}")
    DIST.mkdir(exist_ok=True)
    for name, (source, limit) in _scripts().items():
        script = minified(source)
        size = compressed_size(script)
        if size > limit:
            return _fail(f"{_name(source)} has {size} bytes after gzip -9: the limit is {limit}")
        target = DIST / name
        if not is_check:
            target.write_text(script, "utf-8")
        elif not target.exists() or target.read_text("utf-8") != script:
            return _fail(f"embed/dist/{name} is stale: run python embed/build.py and commit it")
        sys.stdout.write(f"embed/dist/{name}: {size} of {limit} bytes after gzip -9\n")
    return 0


def minified(source: Path) -> str:
    """The script with all that it imports, minified."""
    script = _inlined(_styled(_with_chats(joined(source))))
    if moved := _MOVED.search(script):
        raise SystemExit(
            f"{_name(source)}, or what it imports: the minifier would move '{moved[1]}'"
            " before what it needs; give the value in brackets a name first"
        )
    return minify.string("text/javascript", script) + "\n"


_MOVED = re.compile(r"^ *((?:const|let) [\[{][^;]*?[\]}] =) *(?:/\*.*?\*/ *)?\(", re.MULTILINE)
"""What tdewolff-minify 2.24.12 puts before the declarations above it: const {a} = (value)."""


def compressed_size(script: str) -> int:
    """Bytes after `gzip -9`."""
    return len(gzip.compress(script.encode(), 9, mtime=0))


def _scripts() -> dict[str, tuple[Path, int]]:
    """Source and limit of each script, by its name in embed/dist/."""
    scripts = {name: (EMBED / SOURCES.get(name, name), limit) for name, limit in LIMITS.items()}
    chats = {f"visitor-monitor-{name}.js": (path, ADAPTER_LIMIT) for name, path in _chats().items()}
    return {**chats, **scripts}


# --- joining the sources of a script

_IMPORT = re.compile(r"^import \{([^}]+)\} from '([^']+)';\n", re.MULTILINE)
_OTHER_IMPORT = re.compile(r"^import\b(?! *\()", re.MULTILINE)
_SCOPE = re.compile(r"^\(\(\) => \{\n", re.MULTILINE)
"""Where the names of a script that is no module begin."""
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)
_DECLARED = re.compile(r"^(?:async )?(?:const|let|class|function) (\w+)", re.MULTILINE)


def joined(entry: Path) -> str:
    """The script and all that it imports, each source once and after its own imports."""
    sources = list(dict.fromkeys(_with_imports(entry)))
    parts = [_EXPORT.sub("", _IMPORT.sub("", each.read_text("utf-8"))) for each in sources]
    _check_names(sources, parts)
    if len(parts) == 1:
        return parts[0]
    # In a function, because the minifier shortens a function's names but keeps a module's.
    *imported, own = parts
    if found := _SCOPE.search(own):
        return own[: found.end()] + "".join(imported) + own[found.end() :]
    body = "".join(parts).replace("export default ", "return ")
    return f"export default (() => {{\n{body}\n}})();\n"


def _with_imports(source: Path) -> Iterable[Path]:
    text = source.read_text("utf-8")
    if _OTHER_IMPORT.search(_IMPORT.sub("", text)):
        raise SystemExit(
            f"{_name(source)}: write the import as import {{ name }} from './file.js';"
            " the build joins no other form"
        )
    for names, file in _IMPORT.findall(text):
        imported = (source.parent / file).resolve()
        if imported == EMBED / "core.js":
            _check_handed_over(source, names)
        elif imported.exists():
            yield from _with_imports(imported)
        else:
            raise SystemExit(f"{_name(source)} imports {file}: there is no such file")
    yield source


def _check_names(sources: list[Path], parts: list[str]) -> None:
    """Refuse a name that is declared twice: the sources of a script share one scope."""
    home: dict[str, Path] = {}
    for source, part in zip(sources, parts, strict=True):
        for name in _DECLARED.findall(part):
            if name in home:
                both = f"{_name(home[name])} and {_name(source)}"
                raise SystemExit(f"{both} both declare {name}: rename one of the two")
            home[name] = source


# --- what Python hands over


def _milliseconds(length: timedelta) -> str:
    return str(length // timedelta(milliseconds=1))


def _one_of(words: Iterable[str]) -> str:
    return f"/^({'|'.join(words)})$/"


HANDED_OVER = {
    "ACTIVE_FOR": _milliseconds(ACTIVE_FOR),
    "BARE_KEYS": _one_of(BARE_KEYS),
    "CLICK_IDS": _one_of(source_table().click_ids) + "i",
    "ENGLISH": json.dumps(words_of(ENGLISH), ensure_ascii=False),
    "INVITED": _one_of(each for each in ConversationState if each in INVITED_STATES),
    "LANGUAGES": _one_of(LANGUAGES),
    "LONGEST_BEACON": str(MAX_BYTES // 3 - 99),
    "LONGEST_MESSAGE": str(LONGEST_MESSAGE),
    "LONGEST_PATH_SENT": str(LONGEST_PATH_SENT),
    "LONGEST_PRESENCE": _milliseconds(LONGEST_PRESENCE),
    "MAX_EVENTS": str(MAX_EVENTS),
    "OWN_LINK_KEY": f"'{LINK_KEY}'",
    "OWN_LINK_WORD": f"'{OWN}'",
    "OVER": _one_of(each for each in ConversationState if each not in OPEN_STATES),
    "REFUSED_FOR_GOOD": _one_of([REFUSED_FOR_GOOD]),
    "SILENT_FOR": _milliseconds(timedelta(seconds=SILENT_FOR)),
    "TYPING_EVERY": _milliseconds(TYPING_EVERY),
    "VALUE_KEYS": _one_of(VALUE_KEYS),
    "VISIT_ENDS_AFTER": _milliseconds(VISIT_ENDS_AFTER),
}
"""JavaScript's text of each name that a script may import from core.js; embed/core.d.ts has their types."""


def _check_handed_over(source: Path, names: str) -> None:
    for name in re.findall(r"\w+", names):
        if name not in HANDED_OVER:
            raise SystemExit(
                f"{_name(source)} imports {name} from core.js:"
                " add it to HANDED_OVER in embed/build.py and to embed/core.d.ts"
            )


# --- the list of the chat tools that have an adapter

_GLOBAL = re.compile(r"^ \* Global: (\S+)$", re.MULTILINE)


def _chats() -> dict[str, Path]:
    """The adapter of each chat tool, by the global that the tool sets."""
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


# --- minifying

_CONSTANT = re.compile(r"^ *const ([A-Z][A-Z_]+) =\s+([^;]+);(?: //.*)?\n", re.MULTILINE)
_STYLE = re.compile(r"(?<=^const style = `)[^`]+", re.MULTILINE)


def _styled(source: str) -> str:
    """The source with its style sheet, if it has one, minified: JavaScript tools see only a string."""
    return _STYLE.sub(lambda found: minify.string("text/css", found[0]), source)


def _inlined(source: str) -> str:
    """The source with each constant in CAPITALS replaced by its value: the minifier keeps them."""
    constants = _CONSTANT.findall(source)
    source = _CONSTANT.sub("", source)
    for name, value in [*constants, *HANDED_OVER.items()]:
        source = re.sub(rf"\b{name}\b", lambda _, text=f"({value})": text, source)
    return source


def _name(source: Path) -> str:
    return f"embed/{source.relative_to(EMBED)}"


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
