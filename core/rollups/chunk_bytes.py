"""Columns of visits as bytes, and back: MessagePack, deflated.

A column of numbers is how much each is above the least one, or above 0, in as few bytes as the largest of these needs; one of texts
is the different ones, and of each row the place of its own. So numpy reads them as they are (`core.trends.chunk_arrays`).
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from core.rollups.visit_columns import OF_VISITS, VisitColumns

Value = TypeVar("Value", str, int)

_LEVEL = 1
"""Of zlib: twice as quick as its own choice, for a tenth more bytes."""

_TYPES = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Python's type of an unsigned number of so many bytes."""


class PackedNumbers(Struct, array_like=True, frozen=True):
    """offsets: of each number how much it is above `least`, in `width` bytes, the lowest first."""

    least: int
    width: int
    offsets: bytes


class PackedTexts(Struct, array_like=True, frozen=True):
    """texts: the different ones. places: of each row that of its own."""

    texts: list[str]
    places: PackedNumbers


class PackedVisits(Struct, array_like=True, frozen=True):
    """The columns of OF_VISITS, and those of `VisitColumns.texts`, in their orders."""

    numbers: list[PackedNumbers]
    texts: list[PackedTexts]


class PackedViews(Struct, array_like=True, frozen=True):
    """The columns of OF_VIEWS; pages: the different ones, of which `page` has the places."""

    viewed_after: PackedNumbers
    page: PackedNumbers
    in_view: PackedNumbers
    pages: list[int]


def pack_visits(columns: VisitColumns) -> bytes:
    """What is of the visits, without their views."""
    numbers = [_pack(getattr(columns, name)) for name in OF_VISITS]
    texts: list[PackedTexts] = []
    for column in columns.texts:
        places = _places(column)
        texts.append(PackedTexts([*places], _pack_places(places, column)))
    return _deflate(PackedVisits(numbers, texts))


def pack_views(columns: VisitColumns) -> bytes:
    """What is of their views."""
    places = _places(columns.page)
    return _deflate(
        PackedViews(
            viewed_after=_pack(columns.viewed_after),
            page=_pack_places(places, columns.page),
            in_view=_pack(columns.in_view),
            pages=[*places],
        )
    )


def read_visits(packed: bytes) -> PackedVisits:
    """What `pack_visits` has made."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=PackedVisits)


def read_views(packed: bytes) -> PackedViews:
    """What `pack_views` has made."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=PackedViews)


def unpack(of_visits: bytes, of_views: bytes) -> VisitColumns:
    """The columns again."""
    visits, views = read_visits(of_visits), read_views(of_views)
    pages = views.pages
    return VisitColumns(
        **dict(zip(OF_VISITS, map(_unpack, visits.numbers), strict=True)),
        texts=tuple(
            [*map(column.texts.__getitem__, _unpack(column.places))] for column in visits.texts
        ),
        viewed_after=_unpack(views.viewed_after),
        page=[*map(pages.__getitem__, _unpack(views.page))],
        in_view=_unpack(views.in_view),
    )


def _places(column: Sequence[Value]) -> dict[Value, int]:
    return {value: place for place, value in enumerate(dict.fromkeys(column))}


def _pack(column: Sequence[int]) -> PackedNumbers:
    least, largest = min(column, default=0), max(column, default=0)
    width = _width(largest - least)
    if least >= 0 and _width(largest) == width:
        return PackedNumbers(0, width, _bytes(width, column))
    return PackedNumbers(least, width, _bytes(width, [number - least for number in column]))


def _pack_places(places: Mapping[Value, int], column: Sequence[Value]) -> PackedNumbers:
    width = _width(len(places))
    return PackedNumbers(0, width, _bytes(width, map(places.__getitem__, column)))


def _width(largest: int) -> int:
    return next(width for width in _TYPES if largest < 1 << 8 * width)


def _bytes(width: int, offsets: Iterable[int]) -> bytes:
    return _low_first(array(_TYPES[width], offsets)).tobytes()


def _unpack(packed: PackedNumbers) -> list[int]:
    least, offsets = packed.least, _low_first(array(_TYPES[packed.width], packed.offsets))
    return [least + offset for offset in offsets] if least else offsets.tolist()


def _low_first(numbers: array[int]) -> array[int]:
    """Their bytes in the order in which they are stored, or back in this machine's."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _deflate(columns: Struct) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(columns), _LEVEL)
