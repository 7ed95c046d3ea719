"""Which type each tensor of an exported file has, and values in that type."""

from collections import Counter
from collections.abc import Mapping
from math import prod

import numpy as np

from ..errors import FAILED, TrainerError

F32, F16, Q4_0, Q8_0, BF16 = 0, 1, 2, 8, 30
REQUESTED = {"f32": F32, "f16": F16, "bf16": BF16, "q8_0": Q8_0, "q4_0": Q4_0}
WHOLE = (F32, F16, BF16)
"""Types without blocks: asked for, they hold for every tensor, or the rest of the file would keep its own noise."""
BLOCK = 32
FILE_TYPES = {F32: 0, F16: 1, Q4_0: 2, 3: 3, Q8_0: 7, 6: 8, 7: 9, BF16: 32}
"""`general.file_type` by the type most of a file has; K-quants share types between several."""


def target_type(
    name: str, shape: tuple[int, ...], own: int, quantization: str, touched: bool, precise: bool = False
) -> int:
    """Vectors stay as they are or become fp32; untouched blocks are kept, since quantising them again only loses.
    `precise`: rows that were trained as input, whose large values blocks would round."""
    wanted = REQUESTED[quantization]
    if precise and wanted not in WHOLE:
        return F16
    if len(shape) < 2:
        return F32 if touched or own in WHOLE else own
    if wanted in WHOLE:
        return wanted
    if not touched and own not in WHOLE:
        return own
    if wanted == Q4_0 and name in ("token_embd.weight", "output.weight"):
        return Q8_0  # four bits there cost more quality than they save space
    return wanted


def quantize(name: str, values: np.ndarray, kind: int) -> np.ndarray:
    """fp32 values as the bytes of a type."""
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import quantize as convert

    if not np.isfinite(values).all():
        message = f'Cannot export tensor "{name}": it has values that are not finite'
        raise TrainerError("not_finite", message, "Train with a lower learning rate", FAILED)
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(convert(np.ascontiguousarray(values, np.float32), GGMLQuantizationType(kind)))
    if kind == F16 and not np.isfinite(data).all():
        message = f'Cannot export tensor "{name}" as f16: it has values above 65504'
        raise TrainerError("not_finite", message, "Set export.quantization to bf16", FAILED)
    return data.reshape(-1).view(np.uint8)


def file_type(types: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """The file type of the type that most values have; None where that does not decide it."""
    counts: Counter[int] = Counter()
    for name, kind in types.items():
        if len(shapes[name]) > 1:
            counts[kind] += prod(shapes[name])
    return FILE_TYPES.get(counts.most_common(1)[0][0]) if counts else None
