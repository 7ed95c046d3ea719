"""Reads a GGUF container: metadata as raw values, tensors as views into the mapped file.

The gguf package's own reader builds an object per token and takes seconds for a vocabulary; this one walks lengths.
"""

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrainerError
from .values import Value, end_of

MAGIC = b"GGUF"
VERSIONS = (2, 3)


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    """Rows first, as numpy and PyTorch have it; the file lists it the other way round."""
    type: int
    offset: int
    """From the start of the tensor data."""
    bytes: int


class GgufFile:
    """An open GGUF file. Values are decoded when asked for."""

    def __init__(self, path: Path, name: str | None = None):
        """`name` is what messages call it, where that is not where it lies."""
        self.path = Path(name) if name else path
        try:
            with open(path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._parse()
        except (ValueError, struct.error, OverflowError) as error:
            raise damaged(self.path, _reason(error)) from error
        except OSError as error:
            raise damaged(self.path, error.strerror or str(error)) from error

    def get(self, key: str, default: Any = None) -> Any:
        value = self.kv.get(key)
        return default if value is None else value.decode()

    def data(self, name: str) -> np.ndarray:
        """The tensor's bytes as they are in the file."""
        tensor = self.tensors[name]
        return np.frombuffer(self._map, np.uint8, tensor.bytes, self.data_start + tensor.offset)

    def values(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """The tensor, or rows of it, in fp32."""
        from gguf.constants import GGMLQuantizationType
        from gguf.quants import dequantize

        tensor = self.tensors[name]
        data = self.data(name).reshape(*tensor.shape[:-1], -1)[rows]
        values = np.asarray(dequantize(data, GGMLQuantizationType(tensor.type)), np.float32)
        return values.reshape(*values.shape[:-1], *tensor.shape[-1:])

    def _parse(self) -> None:
        data = self._map
        if data[:4] != MAGIC:
            raise ValueError("it does not start with GGUF")
        self.version, tensors, pairs = struct.unpack_from("<IQQ", data, 4)
        if self.version not in VERSIONS:
            raise ValueError(f"version {self.version} of the format is not one of {', '.join(map(str, VERSIONS))}")
        at = 24
        self.kv: dict[str, Value] = {}
        for _ in range(pairs):
            key, at = self._text(at)
            if key in self.kv:
                raise ValueError(f'key "{key}" occurs twice')
            (kind,) = struct.unpack_from("<I", data, at)
            end = end_of(kind, data, at + 4)
            self.kv[key] = Value(kind, data[at + 4 : end])
            at = end
        self.alignment = self.get("general.alignment", 32)
        if not isinstance(self.alignment, int) or self.alignment <= 0 or self.alignment & (self.alignment - 1):
            raise ValueError(f"alignment {self.alignment} is not a power of two")
        self.tensors = self._tensor_infos(at, tensors)
        self._check_extent()

    def _tensor_infos(self, at: int, count: int) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for _ in range(count):
            name, at = self._text(at)
            (dimensions,) = struct.unpack_from("<I", self._map, at)
            if dimensions > 4:
                raise ValueError(f'tensor "{name}" has {dimensions} dimensions')
            *shape, kind, offset = struct.unpack_from(f"<{dimensions}QIQ", self._map, at + 4)
            if name in found:
                raise ValueError(f'tensor "{name}" occurs twice')
            found[name] = Tensor(name, tuple(reversed(shape)), kind, offset, tensor_bytes(name, shape, kind))
            at += 4 + 8 * dimensions + 12
        self.data_start = -(-at // self.alignment) * self.alignment
        return found

    def _check_extent(self) -> None:
        size = len(self._map)
        for tensor in self.tensors.values():
            if self.data_start + tensor.offset + tensor.bytes > size:
                end = self.data_start + tensor.offset + tensor.bytes
                raise ValueError(f'it ends at byte {size}, tensor "{tensor.name}" needs {end}: the file is truncated')

    def _text(self, at: int) -> tuple[str, int]:
        end = end_of(8, self._map, at)
        return self._map[at + 8 : end].decode("utf-8"), end


def tensor_bytes(name: str, shape: list[int], kind: int) -> int:
    """Bytes of a tensor whose dimensions are listed fastest first."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise ValueError(f'tensor "{name}" has the unknown type {kind}') from None
    if shape and shape[0] % block:
        raise ValueError(f'tensor "{name}" has rows of {shape[0]} values, its type has blocks of {block}')
    return prod(shape) // block * size


def damaged(path: Path, reason: str) -> TrainerError:
    return TrainerError(
        "damaged_base",
        f'Cannot read GGUF file "{path}": {reason}',
        "Download the file again, or compare its size and digest with the original",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError) and not isinstance(error, UnicodeDecodeError):
        text = str(error)
        return "the file is empty" if "empty file" in text else text
    return "its header is cut short"
