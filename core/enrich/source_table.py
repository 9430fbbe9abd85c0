"""The places that a visit can come from, by a referrer's host, an app's package, a click id and a campaign's name."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from typing import NamedTuple


class SourceKind(StrEnum):
    """What sort of place a source is."""

    DIRECT = "direct"
    INTERNAL = "internal"
    SEARCH = "search"
    SOCIAL = "social"
    AI = "ai"
    EMAIL = "email"
    PAID = "paid"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True)
class Source:
    """A label to show under From, and its kind."""

    label: str
    kind: SourceKind


class SourceTable(NamedTuple):
    """The sources of data/sources.csv. hosts: by the referrer's host, or "google.*". apps: by the package.
    click_ids: by the name of the network's click id, in lower case; the script's pattern is built from these.
    aliases: by what utm_source says, and by every label in lower case without spaces and signs."""

    hosts: Mapping[str, Source]
    apps: Mapping[str, Source]
    click_ids: Mapping[str, Source]
    aliases: Mapping[str, Source]


@cache
def source_table() -> SourceTable:
    """The table, which is read when the first source is looked up."""
    by_match: dict[str, dict[str, Source]] = {"host": {}, "app": {}, "click": {}, "alias": {}}
    for match, key, source in _rows():
        by_match[match][key] = source
    hosts, apps, click_ids, aliases = by_match.values()
    labelled = chain.from_iterable(each.values() for each in by_match.values())
    by_label = {plain_name(source.label.lower()): source for source in labelled}
    return SourceTable(hosts, apps, click_ids, by_label | aliases)


def plain_name(name: str) -> str:
    """The name without spaces and signs: "Y!-mail 2" is "Ymail2"."""
    return re.sub(r"[\W_]+", "", name)


def sources_file() -> Traversable:
    """Where the table is."""
    return resources.files("core.enrich") / "data" / "sources.csv"


def _rows() -> Iterator[tuple[str, str, Source]]:
    text = sources_file().read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield row["match"], row["key"], Source(row["label"], SourceKind(row["kind"]))
