"""What is sent between a worker and the writer, as bytes (MessagePack)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from struct import Struct as Layout
from typing import Any

import msgspec
from msgspec import Struct

from collector.writing.counters import Counts
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

_LIST = Layout("!BI")
_LIST_OF_32_BITS = 0xDD  # MessagePack's "array 32"

_Counted = tuple[
    Sequence[tuple[int, int, Reason, int]], Sequence[tuple[int, str, int]], Sequence[str]
]

encode = msgspec.msgpack.Encoder().encode
decode_hits = msgspec.msgpack.Decoder(list[Hit]).decode
decode_hit_results = msgspec.msgpack.Decoder(tuple[list[int], list[Accepted | Refused]]).decode
decode_held = msgspec.msgpack.Decoder(list[int]).decode
_decode_counts = msgspec.msgpack.Decoder(_Counted).decode
_decode_numbered = msgspec.msgpack.Decoder(tuple[list[int], list[tuple[int, msgspec.Raw]]]).decode


def encoded_list(encoded: Sequence[bytes]) -> bytes:
    """A list of what is encoded already."""
    return _LIST.pack(_LIST_OF_32_BITS, len(encoded)) + b"".join(encoded)


class ActionCodec:
    """Of actions and their results, whose types only the chat knows."""

    def __init__(self, actions: Any, results: Sequence[type[Struct]]) -> None:
        """actions: the union of their types. results: each type that an action may have as its result."""
        self.decode_actions = msgspec.msgpack.Decoder(list[actions]).decode
        self._numbers = {kind: number for number, kind in enumerate(results)}
        self._decoders = [msgspec.msgpack.Decoder(kind).decode for kind in results]

    def encode_results(self, numbers: Sequence[int], results: Sequence[Struct]) -> bytes:
        """The numbers of the actions, and their results, each with the number of its type."""
        return encode((numbers, [(self._numbers[type(result)], result) for result in results]))

    def decode_results(self, content: bytes) -> tuple[list[int], list[Struct]]:
        """The numbers of the actions, and their results as they were."""
        numbers, results = _decode_numbered(content)
        return numbers, [self._decoders[kind](raw) for kind, raw in results]


def encode_counts(counts: Counts) -> bytes:
    """What a worker has counted."""
    drops = [(*key, hits) for key, hits in counts.drops.items()]
    origins = [(*key, hits) for key, hits in counts.origins.items()]
    return encode((drops, origins, list(counts.warnings)))


def decode_counts(content: bytes) -> Counts:
    """What a worker has counted."""
    drops, origins, warnings = _decode_counts(content)
    return Counts(
        Counter({(site, at, reason): hits for site, at, reason, hits in drops}),
        Counter({(site, host): hits for site, host, hits in origins}),
        set(warnings),
    )
