"""Which variables are settings, and which were meant to be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.setting_names import OTHERS, misspelt, without_effect
from core.settings import Settings

ROOT = Path(__file__).parents[2]
KNOWN = tuple(f"MONITOR_{name.upper()}" for name in Settings.model_fields)
NAMED_IN = ("deploy", "docs", "embed", "benchmarks", "collector", "core", "pages", "supervision")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MONITOR_RETENTION_DAY", "MONITOR_RETENTION_DAYS"),
        ("MONITOR_RETENTON_DAYS", "MONITOR_RETENTION_DAYS"),
        ("MONITOR_RETENTION_DASY", "MONITOR_RETENTION_DAYS"),
        ("MONITOR_RETENTOIN_DASY", "MONITOR_RETENTION_DAYS"),
        ("MONITOR_RETENSION_DAYZ", "MONITOR_RETENTION_DAYS"),
        ("MONITORRETENTION_DAYS", "MONITOR_RETENTION_DAYS"),
        ("MONITER_RATE_LIMIT", "MONITOR_RATE_LIMIT"),
        ("MONITOR_RATELIMITS", "MONITOR_RATE_LIMIT"),
        ("MONITOR_STREAM", "MONITOR_STREAMS"),
        ("MONITOR_DATABASE_URI", "MONITOR_DATABASE_URL"),
        ("monitor_trusted_proxy", None),
        ("monitor_trusted_proxie", "MONITOR_TRUSTED_PROXIES"),
        ("MONITOR_RETENTIONDAY", "MONITOR_RETENTION_DAYS"),
        ("MONITOR_RETENTION", None),
        ("MONITOR_RETENT_DAYS", None),
        ("MONITOR_COLOUR", None),
        ("MONGO_DATABASE_URL", None),
        ("DATABASE_URL", None),
        ("RATE_LIMIT", None),
    ],
)
def test_name_within_two_letters_of_a_setting_is_taken_for_it(given, meant):
    assert misspelt([given, "PATH"], KNOWN) == ((given, meant) if meant else None)


@pytest.mark.parametrize("known", [*KNOWN, *sorted(OTHERS), "monitor_demo"])
def test_known_name_is_neither_misspelt_nor_without_effect(known):
    assert misspelt([known], KNOWN) is None
    assert without_effect([known], KNOWN) == []


@pytest.mark.parametrize(
    "name",
    [
        "MONITOR_PORT",
        "MONITOR_PORT_8600_TCP",
        "MONITOR_PORT_8600_TCP_ADDR",
        "MONITOR_SERVICE_HOST",
        "MONITOR_SERVICE_PORT_HTTP",
        "MONITOR_COLLECTOR_SERVICE_HOST",
        "MONITOR_COLLECTOR_PORT_8600_TCP_PROTO",
    ],
)
def test_what_container_platforms_add_is_left_alone(name):
    assert misspelt([name], KNOWN) is None
    assert without_effect([name], KNOWN) == []


def test_other_unknown_names_are_without_effect():
    given = ["PATH", "MONITOR_SHAPE", "MONITOR_COLOUR", "MONGO_URL", "MONITOR_DEMO"]

    assert without_effect(given, KNOWN) == ["MONITOR_COLOUR", "MONITOR_SHAPE"]


def test_every_variable_that_the_project_names_is_known():
    texts = [
        file.read_text("utf-8")
        for folder in NAMED_IN
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix in ("", ".py", ".md", ".yaml", ".sh", ".env", ".example")
    ]
    found = {name for text in texts for name in _variables(text)}

    assert {"MONITOR_DATABASE_URL", "MONITOR_HOST", "MONITOR_PATH"} <= found
    assert misspelt(found, KNOWN) is None
    assert without_effect(found, KNOWN) == []


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\bMONITOR_[A-Z_]*[A-Z]\b", text))
