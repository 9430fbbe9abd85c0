"""The examples of the property tests: a few, always the same; many more with FUZZ_EXAMPLES (`make fuzz`)."""

from __future__ import annotations

import os
import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.fuzz.hostile_texts import HOSTILE_CHARS, PIECES
from tests.fuzz.mutated_json import mutated_json, with_hostile_texts

_MORE = int(os.environ.get("FUZZ_EXAMPLES", "0"))

examples = settings(
    max_examples=_MORE or 40,
    derandomize=not _MORE,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
"""For every property; the deep run also looks at other examples each time."""

_CHARS = st.characters() | st.sampled_from(HOSTILE_CHARS)
TEXTS = st.text(_CHARS, max_size=60) | st.lists(
    st.sampled_from(PIECES) | st.text(_CHARS, max_size=8), max_size=6
).map("".join)
"""Any text, half characters too, and texts of attacks."""

WHOLE_TEXTS = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
"""The same without half characters, as it can be stored."""

BYTES = st.binary(max_size=200) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
"""Whatever a parser of JSON may give."""

DEEP = (b"[" * 16_000, b'{"x":' + b"[" * 16_000, b'{"a":' * 3_000)
"""Deeper than a decoder goes."""


def bodies(value: Any, kept: frozenset[str] = frozenset()) -> st.SearchStrategy[bytes]:
    """Bodies that are like this value: changed, with hostile texts, or nothing of the kind."""
    chances = st.integers(0, 2**32).map(random.Random)
    return (
        chances.map(lambda chance: mutated_json(value, chance))
        | chances.map(lambda chance: with_hostile_texts(value, chance, kept))
        | BYTES
        | st.sampled_from(DEEP)
    )
