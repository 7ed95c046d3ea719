"""Typed values of GGUF metadata, kept as the bytes they have in the file so that a copy is exact."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
SIZES = {kind: struct.calcsize("<" + code) for kind, code in SCALARS.items()}
DEEPEST = 8
"""Arrays in arrays beyond this depth are damage, not metadata."""


@dataclass(frozen=True)
class Value:
    kind: int
    raw: bytes

    def decode(self) -> Any:
        return _decode(self.kind, self.raw, 0)[0]


def u32(number: int) -> Value:
    return Value(4, struct.pack("<I", number))


def f32(number: float) -> Value:
    return Value(6, struct.pack("<f", number))


def boolean(flag: bool) -> Value:
    return Value(7, struct.pack("<?", flag))


def string(text: str) -> Value:
    return Value(STRING, _packed(text))


def strings(texts: Sequence[str]) -> Value:
    return Value(ARRAY, struct.pack("<IQ", STRING, len(texts)) + b"".join(map(_packed, texts)))


def i32s(numbers: Sequence[int]) -> Value:
    return Value(ARRAY, struct.pack(f"<IQ{len(numbers)}i", 5, len(numbers), *numbers))


def f32s(numbers: Sequence[float]) -> Value:
    return Value(ARRAY, struct.pack(f"<IQ{len(numbers)}f", 6, len(numbers), *numbers))


def end_of(kind: int, data: Any, at: int, depth: int = 0) -> int:
    """Where the value that starts at `at` ends. Raises ValueError on a type it does not know or a value cut short."""
    if kind in SIZES:
        end = at + SIZES[kind]
    elif kind == STRING:
        end = at + 8 + struct.unpack_from("<Q", data, at)[0]
    elif kind == ARRAY and depth < DEEPEST:
        item, count = struct.unpack_from("<IQ", data, at)
        end = _end_of_items(item, count, data, at + 12, depth + 1)
    else:
        raise ValueError(f"unknown metadata type {kind}")
    if end > len(data):
        raise ValueError("a metadata value is truncated")
    return end


def _end_of_items(kind: int, count: int, data: Any, at: int, depth: int) -> int:
    if kind in SIZES:
        return at + count * SIZES[kind]
    if count > len(data) - at:
        raise ValueError("an array is longer than the file")
    if kind != STRING:
        for _ in range(count):
            at = end_of(kind, data, at, depth)
        return at
    unpack, size = struct.Struct("<Q").unpack_from, len(data)
    for _ in range(count):
        at += 8 + unpack(data, at)[0]
        if at > size:
            raise ValueError("a string in an array is truncated")
    return at


def _decode(kind: int, raw: bytes, at: int) -> tuple[Any, int]:
    if kind in SCALARS:
        return struct.unpack_from("<" + SCALARS[kind], raw, at)[0], at + SIZES[kind]
    if kind == STRING:
        end = at + 8 + struct.unpack_from("<Q", raw, at)[0]
        # Vocabularies hold tokens that are halves of characters; decoding must not fail on them.
        return raw[at + 8 : end].decode("utf-8", "surrogateescape"), end
    item, count = struct.unpack_from("<IQ", raw, at)
    at += 12
    if item in SCALARS:
        end = at + count * SIZES[item]
        return np.frombuffer(
            raw[at:end], dtype="<" + SCALARS[item].replace("?", "b1") if item != 7 else "?"
        ).tolist(), end
    items = []
    for _ in range(count):
        value, at = _decode(item, raw, at)
        items.append(value)
    return items, at


def _packed(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(data)) + data
