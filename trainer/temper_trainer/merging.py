"""Whether what is trained can be merged into the base's file, and whether it was."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from .bases.weights import Weights
from .check_ways import check_rows
from .errors import FAILED, TrainerError
from .methods import Method
from .prepared import Prepared

if TYPE_CHECKING:
    from .base import Base

COMPARED = 16
"""Rows of a tensor that are compared: a tensor that is stored in another order differs in its first ones."""
APART = {torch.float32: 1e-3, torch.bfloat16: 0.05}
"""Most that a merged layer's output may differ from the trained layer's, as a share of its largest value."""


def check_mergeable(base: "Base", method: Method) -> None:
    """Raises before training where the file holds the tensors that training changes in another form."""
    file = Weights(base.dir / "model.safetensors")
    for name, tensor in method.changes().items():
        entry = file.entries.get(name)
        if entry is None:
            raise refusal(f'its file has no tensor "{name}": transformers makes it of others')
        if tensor is None:
            continue
        if entry.shape != tuple(tensor.shape):
            raise refusal(f'"{name}" has the shape {list(entry.shape)} in its file, {list(tensor.shape)} in the model')
        stored = torch.from_numpy(np.array(file.values(name, slice(COMPARED)))).to(tensor.dtype)
        if not torch.equal(stored, tensor[:COMPARED].detach().cpu()):
            raise refusal(f'"{name}" holds other values in its file than in the model')


def refusal(reason: str) -> TrainerError:
    message = f"Cannot merge what this method trains into the base: {reason}"
    hint = "Set export.gguf and export.merged to false, or take method.kind: lora with method.target: attention"
    return TrainerError("unsupported_export", message, hint)


@torch.no_grad()
def check_merged(method: Method, rows: Prepared) -> None:
    """Raises where a merged layer computes something else on two rows than the trained one."""
    device = method.causal.device
    read = [torch.from_numpy(tokens.astype(np.int64))[None].to(device) for tokens, _ in check_rows(rows, 0, [])]

    def run() -> None:
        for ids in read:
            method.causal(**method.arguments(ids), use_cache=False)

    method.model.eval()
    for name, merged, trained in method.compare_merged(run):
        size = trained.abs().max().item()
        if not math.isfinite(size):
            message = f'Cannot export: the trained layer "{name}" answers numbers that are not finite'
            raise TrainerError("not_finite", message, "Lower train.learning_rate", FAILED)
        apart = (merged - trained).abs().max().item()
        if not apart <= APART[method.causal.dtype] * max(1e-3, size):
            message = f'Cannot export: merged into "{name}" the update gives another result (by {apart:.2g})'
            hint = "Keep adapter/, set export.gguf and export.merged to false, and report this base"
            raise TrainerError("bad_export", message, hint, FAILED)
