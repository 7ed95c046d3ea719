"""The base's own GGUF file with some tensors replaced: everything else keeps its bytes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ..job.events import Progress
from .changes import Changes
from .compose import compose
from .pieces import row_groups
from .reader import GgufFile


def splice(
    source: GgufFile,
    target: Path,
    replaced: Iterable[tuple[str, np.ndarray]],
    quantization: str,
    changes: Changes,
    progress: Progress,
) -> None:
    """`replaced` are fp32 tensors by their names in GGUF."""
    arch = source.get("general.architecture")
    kv = changes.applied(source.kv, arch)
    parts = changes.grown(FileParts(source))
    alignment, version = source.alignment, source.version
    compose(target, kv, parts, replaced, quantization, progress, alignment, version, changes.shapes)


class FileParts:
    precise = ()

    def __init__(self, file: GgufFile):
        self._file = file
        self.shapes = {name: tensor.shape for name, tensor in file.tensors.items()}

    def type(self, name: str) -> int:
        return self._file.tensors[name].type

    def data(self, name: str) -> Iterator[np.ndarray]:
        yield self._file.data(name)

    def values(self, name: str) -> Iterator[np.ndarray]:
        for rows in row_groups(self.shapes[name]):
            yield self._file.values(name, rows)
