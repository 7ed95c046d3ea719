"""safetensors files read and written one tensor at a time, as bytes: memory stays at one tensor."""

import json
import mmap
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ..errors import TrainerError

SIZES = {
    **{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "C64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1},
    **{"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1},
}
"""Bytes of a value."""
FLOATS = ("F64", "F32", "F16", "BF16")
LARGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class Entry:
    dtype: str
    shape: tuple[int, ...]
    start: int = 0
    """From the start of the data."""

    @property
    def bytes(self) -> int:
        return prod(self.shape) * SIZES[self.dtype]


class Weights:
    """An open safetensors file. Nothing in it is ever run, unlike in a pickle."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (as long as the mapping)
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            self.entries = self._parse()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
            reason = "its header cannot be read" if not isinstance(error, _HeaderError) else str(error)
            raise _damaged(path, reason) from error
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from error

    def data(self, name: str) -> np.ndarray:
        entry = self.entries[name]
        return np.frombuffer(self._map, np.uint8, entry.bytes, self._data_start + entry.start)

    def read(self, name: str) -> np.ndarray:
        """The same as a copy. Pages of the mapping that were touched stay in this process's memory, a copy's go."""
        entry = self.entries[name]
        data = np.empty(entry.bytes, np.uint8)
        self._file.seek(self._data_start + entry.start)
        left = memoryview(data)
        while left:
            count = self._file.readinto(left)
            if not count:
                raise _damaged(self.path, f'tensor "{name}" extends past the end: the file is truncated')
            left = left[count:]
        return data

    def values(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """The tensor, or rows of it, in fp32."""
        entry = self.entries[name]
        kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}[entry.dtype]
        data = self.data(name).view(kind).reshape(entry.shape)[rows]
        if entry.dtype == "BF16":
            return (data.astype(np.uint32) << 16).view(np.float32)
        return data.astype(np.float32, copy=False)

    def _parse(self) -> dict[str, Entry]:
        (length,) = struct.unpack_from("<Q", self._map, 0)
        if length > min(LARGEST_HEADER, len(self._map) - 8):
            raise ValueError("header")
        header: dict[str, Any] = json.loads(self._map[8 : 8 + length])
        self._data_start = 8 + length
        entries = {}
        for name, info in header.items():
            if name == "__metadata__":
                continue
            start, end = _counts(info["data_offsets"])
            if info["dtype"] not in SIZES:
                raise _HeaderError(f'tensor "{name}" has the type {str(info["dtype"])[:20]}, which cannot be read')
            entries[name] = entry = Entry(info["dtype"], _counts(info["shape"]), start)
            if entry.bytes != end - start:
                raise ValueError("extent")
            if self._data_start + end > len(self._map):
                raise _HeaderError(f'tensor "{name}" extends past the end: the file is truncated')
        return entries


class WeightsWriter:
    """Writes the tensors of `entries`, in any order."""

    def __init__(self, path: Path, entries: Mapping[str, Entry]):
        self._places: dict[str, Entry] = {}
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for name, entry in entries.items():
            self._places[name] = Entry(entry.dtype, entry.shape, at)
            header[name] = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": [at, at + entry.bytes]}
            at += entry.bytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        self._data_start = 8 + len(text)
        self._missing = set(self._places)
        self._file = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
        self._file.write(struct.pack("<Q", len(text)) + text)

    def write(self, name: str, values: np.ndarray) -> None:
        entry = self._places[name]
        data = encode(values, entry.dtype) if values.dtype != np.uint8 else values
        if data.nbytes != entry.bytes:
            raise ValueError(f'tensor "{name}" has {data.nbytes} bytes instead of {entry.bytes}')
        self._file.seek(self._data_start + entry.start)
        self._file.write(np.ascontiguousarray(data).data)
        self._missing.discard(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._file.close()
        if kind is None and self._missing:
            raise ValueError(f"tensors were not written: {', '.join(sorted(self._missing))}")


def encode(values: np.ndarray, dtype: str) -> np.ndarray:
    """fp32 values as the bytes of `dtype`."""
    if dtype == "BF16":
        from gguf.constants import GGMLQuantizationType
        from gguf.quants import quantize

        return quantize(values.reshape(-1), GGMLQuantizationType.BF16).view(np.uint8)
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]
    return np.ascontiguousarray(values, kind).reshape(-1).view(np.uint8)


def count_parameters(entries: Iterable[Entry]) -> int:
    return sum(prod(entry.shape) for entry in entries)


def _counts(numbers: Any) -> tuple[int, ...]:
    """A list of whole numbers from 0 up: a float or a negative one would be found out only where it is used."""
    if not isinstance(numbers, list) or any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("counts")
    return tuple(numbers)


class _HeaderError(ValueError):
    """A sentence about the header."""


def _damaged(path: Path, reason: str) -> TrainerError:
    return TrainerError(
        "damaged_base",
        f'Cannot read weights "{path}": {reason}',
        "Download the file again, or compare its size and digest with the original",
    )
