"""A complete GGUF file: a base's tensors with some of them replaced."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from ..errors import FAILED, TrainerError
from ..job.events import Progress
from .quantize import Types, quantize
from .values import Value, u32
from .writer import GgufWriter

PHASE = "writing model.gguf"
FILE_TYPE = "general.file_type"
"""Kept up to date where it is there."""


class Parts(Protocol):
    """The tensors of a base, under their names in GGUF and with the order of rows they have there."""

    shapes: Mapping[str, tuple[int, ...]]
    precise: Collection[str]
    """Tensors that keep at least f16."""

    def type(self, name: str) -> int:
        """The type the base itself has the tensor in."""

    def data(self, name: str) -> Iterable[np.ndarray]:
        """Its bytes in that type, in pieces."""

    def values(self, name: str) -> Iterable[np.ndarray]:
        """In fp32, in pieces of whole rows."""


def compose(
    target: Path,
    kv: Mapping[str, Value],
    parts: Parts,
    replaced: Iterable[tuple[str, np.ndarray]],
    quantization: str,
    progress: Progress,
    alignment: int = 32,
    version: int = 3,
    reshaped: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
) -> None:
    """Writes the replaced tensors as they come, then the rest a piece at a time: no more than one tensor is in memory.

    `reshaped` are the shapes of replaced tensors that have another one than in the base."""
    shapes = {**parts.shapes, **{name: reshaped[name] for name in parts.shapes if name in reshaped}}
    types, written = Types(quantization, shapes), set()
    with GgufWriter(target, _with_file_type(kv), shapes, alignment, version) as out:
        for name, values in replaced:
            _check(name, values, shapes, written)
            kind = types.choose(name, parts.type(name), True)
            out.write(name, kind, [quantize(name, values, kind)])
            written.add(name)
            progress(PHASE, len(written), len(shapes))
        for name in [name for name in shapes if name not in written]:
            own = parts.type(name)
            kind = types.choose(name, own, False, name in parts.precise)
            converted = (quantize(name, values, kind) for values in parts.values(name))
            out.write(name, kind, parts.data(name) if kind == own else converted)
            written.add(name)
            progress(PHASE, len(written), len(shapes))
        if FILE_TYPE in out.kv and (found := types.of_file(out.kv[FILE_TYPE].decode())) is not None:
            out.kv[FILE_TYPE] = u32(found)


def _with_file_type(kv: Mapping[str, Value]) -> dict[str, Value]:
    """Its number as u32, so that another takes no more room: the header's size stays. What is no number is left out."""
    own = kv[FILE_TYPE].decode() if FILE_TYPE in kv else None
    if isinstance(own, int) and 0 <= own < 1 << 32:
        return {**kv, FILE_TYPE: u32(own)}
    return {key: value for key, value in kv.items() if key != FILE_TYPE}


def _check(name: str, values: np.ndarray, shapes: Mapping[str, tuple[int, ...]], seen: Collection[str]) -> None:
    if name not in shapes or name in seen:
        reason = "the base has no such tensor" if name not in shapes else "it comes twice"
    elif values.shape != shapes[name]:
        reason = f"its shape {values.shape} is not {shapes[name]}"
    else:
        return
    raise TrainerError("bad_export", f'Cannot export tensor "{name}": {reason}', exit_code=FAILED)
