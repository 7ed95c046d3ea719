"""Writes a GGUF container one tensor at a time."""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from .reader import MAGIC, tensor_bytes
from .values import Value, string


class GgufWriter:
    """Appends tensors in the order they come. The header, whose size does not depend on their types, is written last:
    so nobody has to know beforehand which tensors will come in which type.

    `shapes` lists every tensor of the file, rows first.
    """

    def __init__(
        self,
        path: Path,
        kv: Mapping[str, Value],
        shapes: Mapping[str, tuple[int, ...]],
        alignment: int = 32,
        version: int = 3,
    ):
        self.kv = dict(kv)
        self._shapes, self._alignment, self._version = dict(shapes), alignment, version
        self._written: dict[str, int] = {}
        self._file = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
        # Values of fixed size may still change before close(); their sizes may not.
        self._start = self._padded(len(self._head()) + sum(_info_size(name, shape) for name, shape in shapes.items()))
        self._file.truncate(self._start)
        self._file.seek(self._start)

    def write(self, name: str, kind: int, pieces: Iterable[np.ndarray]) -> None:
        """`pieces` are the tensor's bytes, one part after the other."""
        size, expected = 0, tensor_bytes(name, list(reversed(self._shapes[name])), kind)
        for data in pieces:
            self._file.write(np.ascontiguousarray(data).data)
            size += data.nbytes
        if name in self._written or size != expected:
            raise ValueError(f'tensor "{name}" was written twice or has {size} bytes instead of {expected}')
        self._file.write(bytes(self._padded(size) - size))
        self._written[name] = kind

    def close(self) -> None:
        missing = self._shapes.keys() - self._written.keys()
        if missing:
            raise ValueError(f"tensors were not written: {', '.join(sorted(missing))}")
        head = self._head() + self._infos()
        if self._padded(len(head)) != self._start:
            raise ValueError("the metadata changed its size while tensors were written")
        self._file.seek(0)
        self._file.write(head)
        self._file.flush()
        self._file.close()

    def _head(self) -> bytes:
        parts = [MAGIC, struct.pack("<IQQ", self._version, len(self._shapes), len(self.kv))]
        for key, value in self.kv.items():
            parts += [string(key).raw, struct.pack("<I", value.kind), value.raw]
        return b"".join(parts)

    def _infos(self) -> bytes:
        parts, offset = [], 0
        for name, kind in self._written.items():
            shape = list(reversed(self._shapes[name]))
            parts += [string(name).raw, struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)]
            offset += self._padded(tensor_bytes(name, shape, kind))
        return b"".join(parts)

    def _padded(self, size: int) -> int:
        return -(-size // self._alignment) * self._alignment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if kind is None:
            self.close()
        else:
            self._file.close()


def _info_size(name: str, shape: tuple[int, ...]) -> int:
    return 8 + len(name.encode()) + 4 + 8 * len(shape) + 4 + 8
