"""The base's own GGUF file with some tensors replaced: everything else keeps its bytes."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..events import Progress
from .compose import compose
from .reader import GgufFile
from .values import Value


def splice(
    source: GgufFile,
    target: Path,
    replaced: Iterable[tuple[str, np.ndarray]],
    quantization: str,
    changes: Mapping[str, Value | None],
    progress: Progress,
) -> None:
    """`replaced` are fp32 tensors by their names in GGUF; `changes` are metadata to set or, with None, to leave out."""
    kv = {key: value for key, value in (source.kv | changes).items() if value is not None}
    parts = FileParts(source)
    compose(target, kv, parts, replaced, quantization, progress, source.alignment, source.version)


class FileParts:
    def __init__(self, file: GgufFile):
        self._file = file
        self.shapes = {name: tensor.shape for name, tensor in file.tensors.items()}

    def type(self, name: str) -> int:
        return self._file.tensors[name].type

    def data(self, name: str) -> np.ndarray:
        return self._file.data(name)

    def values(self, name: str) -> np.ndarray:
        return self._file.values(name)
