"""JSON made from a valid value by changes of its structure, its values, and its bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz.hostile_texts import ATOMS, hostile_text

Place = tuple[Any, Any]
"""A dict or a list, and a key or an index of it."""


class Verbatim(str):
    """JSON that is written as it stands."""


def mutated_json(value: Any, chance: random.Random) -> bytes:
    """The value with one to four changes, as JSON, or as what was JSON once."""
    root = [copy.deepcopy(value)]
    for _ in range(chance.randint(1, 4)):
        chance.choice(_CHANGES)(root, chance)
    data = written(root[0], chance)
    return _with_other_bytes(data, chance) if chance.random() < 0.15 else data


def with_hostile_texts(value: Any, chance: random.Random, kept: frozenset[str]) -> bytes:
    """The value with hostile texts in place of some of its own, but for those under the keys that are kept.

    A path still begins as one.
    """
    root = [copy.deepcopy(value)]
    for holder, key in list(_places(root)):
        if isinstance(holder[key], str) and key not in kept and chance.random() < 0.6:
            old = holder[key] if key == "u" or chance.random() < 0.3 else ""
            holder[key] = old + hostile_text(chance)
        if key == "i":
            holder[key] |= {hostile_text(chance, 50): hostile_text(chance) for _ in range(12)}
    return written(root[0], chance)


def written(value: Any, chance: random.Random) -> bytes:
    """The value as JSON; half characters are escaped, or bytes that are no UTF-8."""
    if isinstance(value, Verbatim):
        return value.encode()
    if isinstance(value, dict):
        inner = (written(key, chance) + b":" + written(each, chance) for key, each in value.items())
        return b"{" + b",".join(inner) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(written(each, chance) for each in value) + b"]"
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def _places(root: list[Any]) -> Iterator[Place]:
    waiting: list[Any] = [root]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _any_place(root: list[Any], chance: random.Random) -> Place:
    return chance.choice(list(_places(root)))


def _replace_by_atom(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    holder[key] = Verbatim(chance.choice(ATOMS))


def _replace_by_text(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    holder[key] = hostile_text(chance)


def _replace_by_number(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    holder[key] = chance.choice(
        (-1, 0, 1, 16, 17, 20, 21, 64, 65, 1800, 86_400, 2**31, 2**53, 2**64)
    )
    holder[key] += chance.choice((-1, 0, 0, 0.5, 1))


def _swap(root: list[Any], chance: random.Random) -> None:
    (holder, key), (other, place) = (_any_place(root, chance) for _ in range(2))
    holder[key] = copy.deepcopy(other[place])


def _remove(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    if holder is not root:
        del holder[key]


def _rename(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    if isinstance(holder, dict):
        holder[hostile_text(chance, 40)] = holder.pop(key)


def _double_key(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    if isinstance(holder, dict):
        holder[_Twin(key)] = chance.choice((0, "", "x", [], {}, None, copy.deepcopy(holder[key])))


def _repeat(root: list[Any], chance: random.Random) -> None:
    holder, key = _any_place(root, chance)
    if isinstance(holder, list) and holder is not root:
        holder.extend(copy.deepcopy(holder[key]) for _ in range(chance.choice((1, 5, 19, 20, 60))))
    elif isinstance(holder[key], dict):
        holder[key] |= {f"k{number}": "v" * number for number in range(chance.choice((3, 11, 200)))}


class _Twin(str):
    """A key that is equal to no other, so that a dict holds it twice."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


_CHANGES: tuple[Callable[[list[Any], random.Random], None], ...] = (
    _replace_by_atom,
    _replace_by_atom,
    _replace_by_text,
    _replace_by_text,
    _replace_by_number,
    _swap,
    _remove,
    _rename,
    _double_key,
    _repeat,
)


def _with_other_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.random()
        if kind < 0.3:
            changed[at:at] = chance.randbytes(chance.randint(1, 4))
        elif kind < 0.6:
            del changed[at : at + chance.randint(1, 6)]
        elif kind < 0.9 and at < len(changed):
            changed[at] = chance.randrange(256)
        else:
            del changed[at:]
    return bytes(changed)
