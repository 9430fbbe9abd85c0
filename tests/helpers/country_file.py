"""A country database of the owner's, as small as one can be."""

from pathlib import Path


def write_database(path: Path, record: dict[str, object]) -> Path:
    """An IPv4 file of one node, both of whose branches lead to the record."""
    node_count = 1
    tree = (node_count + 16).to_bytes(3, "big") * 2
    metadata = {
        "node_count": (6, node_count),
        "record_size": (5, 24),
        "ip_version": (5, 4),
        "database_type": "Test",
        "description": {},
        "languages": [],
        "binary_format_major_version": (5, 2),
        "binary_format_minor_version": (5, 0),
        "build_epoch": (9, 1),
    }
    marker = b"\xab\xcd\xefMaxMind.com"
    path.write_bytes(tree + bytes(16) + encode(record) + marker + encode(metadata))
    return path


def encode(value: object) -> bytes:
    """A map, a text, an empty list, or a number as (its type in the format, value)."""
    if value == []:
        return bytes([0, 11 - 7])
    if isinstance(value, dict):
        items = b"".join(encode(key) + encode(item) for key, item in value.items())
        return bytes([7 << 5 | len(value)]) + items
    if isinstance(value, tuple):
        kind, number = value
        head = [kind << 5 | 1] if kind < 8 else [1, kind - 7]
        return bytes([*head, number])
    return bytes([2 << 5 | len(str(value))]) + str(value).encode()
