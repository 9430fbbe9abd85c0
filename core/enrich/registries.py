"""Where a host's registry ends and its owner begins: Mozilla's public suffix list."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from publicsuffixlist import PSLFILE, PublicSuffixList

_END_OF_ICANN = "// ===END ICANN DOMAINS==="


class PublicSuffixes(NamedTuple):
    """all: every suffix below which anybody may have a name: two shops on one platform ("a.myshopify.com",
    "b.myshopify.com") are two sites. icann: those of ICANN's registries alone: anybody can rent "google.blogspot.com",
    so brands count under these only."""

    all: PublicSuffixList
    icann: PublicSuffixList


@cache
def public_suffixes() -> PublicSuffixes:
    """The two lists, which are read when the first host is asked for.

    The rules that the library reads by itself, which takes it three times as long: it encodes every rule for the
    DNS, and once for each list.
    """
    icann, _, others = Path(PSLFILE).read_text(encoding="utf-8").partition(_END_OF_ICANN)
    registries = _rules(icann)
    return PublicSuffixes(_list([*registries, *_rules(others)]), _list(registries))


def _list(rules: Sequence[str]) -> PublicSuffixList:
    return PublicSuffixList(rules, accept_encoded_idn=False)


def _rules(text: str) -> list[str]:
    """The rules; one with other letters than ASCII's as browsers send it, too."""
    rules = [line for line in text.splitlines() if line and not line.startswith("//")]
    return rules + [_encoded(rule) for rule in rules if not rule.isascii()]


def _encoded(rule: str) -> str:
    """As the DNS has it. The list's names are prepared for it already: Python's own codec prepares them once more,
    which takes it most of its time."""
    mark = "!" if rule.startswith("!") else ""
    return mark + ".".join(map(_encoded_label, rule.removeprefix(mark).split(".")))


def _encoded_label(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
