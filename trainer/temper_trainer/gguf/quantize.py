"""Which type each tensor of an exported file has, and values in that type."""

from collections import Counter
from collections.abc import Mapping
from math import prod

import numpy as np

from ..errors import FAILED, TrainerError
from .k_quants import WRITERS, quantize_k
from .mixes import MIXES, Mix
from .types import BF16, F16, F32, Q4_0, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0

REQUESTED = {"f32": F32, "f16": F16, "bf16": BF16, "q8_0": Q8_0, "q4_0": Q4_0} | MIXES
"""The type that most of a file has."""
WHOLE = (F32, F16, BF16)
"""Types without blocks: asked for, they hold for every tensor, or the rest of the file would keep its own noise."""
BLOCK = 32
FILE_TYPES = {F32: 0, F16: 1, Q4_0: 2, 3: 3, Q8_0: 7, Q5_0: 8, Q5_1: 9, Q4_K: 15, Q5_K: 17, Q6_K: 18, BF16: 32}
"""`general.file_type` by the type most of a file has. Several mixes have most in Q4_K or Q5_K: those of MIXES are the
usual ones."""


class Types:
    """The types of one file's tensors. `shapes` are rows first."""

    def __init__(self, quantization: str, shapes: Mapping[str, tuple[int, ...]]):
        self._wanted, self._shapes = REQUESTED[quantization], shapes
        self._mix = Mix(quantization, shapes) if quantization in MIXES else None
        self._kept = 0
        self._counts: Counter[int] = Counter()

    def choose(self, name: str, own: int, touched: bool, precise: bool = False) -> int:
        """Vectors stay as they are or become fp32; untouched blocks are kept, since quantising them again only loses.
        `precise`: rows that were trained as input, whose large values blocks would round."""
        kind = self._type(name, own, touched, precise)
        if len(self._shapes[name]) > 1:
            size = prod(self._shapes[name])
            self._counts[kind] += size
            if not touched and kind == own and own not in WHOLE:
                self._kept += size
        return kind

    def _type(self, name: str, own: int, touched: bool, precise: bool) -> int:
        if precise and self._wanted not in WHOLE:
            return F16
        if len(self._shapes[name]) < 2:
            return F32 if touched or own in WHOLE else own
        if self._wanted in WHOLE:
            return self._wanted
        if not touched and own not in WHOLE:
            return own
        if self._mix is not None:
            mixed = self._mix.type(name)
            return mixed if mixed is not None else own if own in WHOLE else F32
        if self._wanted == Q4_0 and name in ("token_embd.weight", "output.weight"):
            return Q8_0  # four bits there cost more quality than they save space
        return self._wanted

    def of_file(self, own: int) -> int | None:
        """`general.file_type`: of the mix, the base's `own` where most values are its blocks, or of the type that most
        values have; None where that does not decide it. An `own` of 0, fp32, says nothing of blocks."""
        if self._mix is not None and not self._kept:
            return FILE_TYPES[self._wanted]
        if own and 2 * self._kept > self._counts.total():
            return own
        return FILE_TYPES.get(self._counts.most_common(1)[0][0]) if self._counts else None


def quantize(name: str, values: np.ndarray, kind: int) -> np.ndarray:
    """fp32 values as the bytes of a type."""
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import quantize as convert

    if not np.isfinite(values).all():
        message = f'Cannot export tensor "{name}": it has values that are not finite'
        raise TrainerError("not_finite", message, "Train with a lower learning rate", FAILED)
    if kind in WRITERS:
        try:
            return quantize_k(values, kind)
        except OverflowError as error:
            message = f'Cannot export tensor "{name}" as {GGMLQuantizationType(kind).name.lower()}: {error}'
            raise TrainerError("not_finite", message, "Set export.quantization to bf16", FAILED) from None
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(convert(np.ascontiguousarray(values, np.float32), GGMLQuantizationType(kind)))
    if kind == F16 and not np.isfinite(data).all():
        message = f'Cannot export tensor "{name}" as f16: it has values above 65504'
        raise TrainerError("not_finite", message, "Set export.quantization to bf16", FAILED)
    return data.reshape(-1).view(np.uint8)
