"""Just enough of the protobuf wire format for BuildKit: read fields, write strings and bytes."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("truncated or overlong varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Each field's number and value: numbers as int, everything of known length as bytes."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = read_varint(data, at)
            yield number, value
            continue
        if wire == 2:
            length, at = read_varint(data, at)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"unknown wire type {wire}")
        if at + length > len(data):
            raise ValueError("truncated field")
        yield number, data[at : at + length]
        at += length


def message(data: bytes) -> dict[int, list[Value]]:
    """All fields by number, each with its values in order."""
    found: dict[int, list[Value]] = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def text(found: dict[int, list[Value]], number: int) -> str:
    value = found.get(number, [b""])[-1]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def embedded(found: dict[int, list[Value]], number: int) -> list[bytes]:
    return [value for value in found.get(number, []) if isinstance(value, bytes)]


def integer(found: dict[int, list[Value]], number: int) -> int:
    value = found.get(number, [0])[-1]
    return value if isinstance(value, int) else 0


def write_varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def write(number: int, value: str | bytes | int) -> bytes:
    """One field: strings and bytes with their length, numbers as varints."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return write_varint(number << 3 | 2) + write_varint(len(raw)) + raw
