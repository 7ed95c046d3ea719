"""Whether what is trained can be merged into the base's file, and whether it was."""

import math
from typing import TYPE_CHECKING

import numpy as np

from ..archs import architecture_of
from ..bases.complete import renamed_tensor
from ..bases.config import load_config
from ..bases.weights import Weights
from ..errors import FAILED, TrainerError

if TYPE_CHECKING:
    from ..bases.base import Base
    from ..data.prepared import Prepared
    from ..methods import Method

NO_MERGE = "Set export.merged to false: the trained weights are kept in artifacts/ all the same"
COMPARED = 16
"""Rows of a tensor that are compared: a tensor that is stored in another order differs in its first ones."""
LARGEST_DIFFERENCE = {"float32": 1e-3, "bfloat16": 0.05, "float16": 0.01}
"""Most that a merged layer's output may differ from the trained layer's, as a share of its largest value."""


def check_merge_names(base: "Base", method: str) -> None:
    """Raises where trained weights could not be put back under the names that the base's file has. Needs no weights,
    so that `prepare` can ask; `check_merge_values` knows more."""
    if architecture_of(base.info["arch"]) is not None or method == "prefix":
        return
    stored = Weights(base.dir / "model.safetensors").entries
    found = renamed_tensor(load_config(base.dir), stored, method == "full")
    if found is not None:
        reason = f'transformers holds tensor "{found}" under another name, or in another form, than the base\'s file'
        raise TrainerError("unsupported_export", f"Cannot write merged/: {reason}", NO_MERGE)


def check_merge_values(base: "Base", method: "Method") -> None:
    """Raises before training when the file stores the trained tensors in another form."""
    import torch

    file = Weights(base.dir / "model.safetensors")
    for name, tensor in method.changes().items():
        entry = file.entries.get(name)
        if entry is None:
            raise refusal(f'its file has no tensor "{name}": transformers builds it from others')
        if tensor is None:
            continue
        if entry.shape != tuple(tensor.shape):
            raise refusal(f'"{name}" has the shape {list(entry.shape)} in its file, {list(tensor.shape)} in the model')
        stored = torch.from_numpy(np.array(file.values(name, slice(COMPARED)))).to(tensor.dtype)
        if not torch.equal(stored, tensor[:COMPARED].detach().cpu()):
            raise refusal(f'"{name}" has different values in its file and in the model')


def refusal(reason: str) -> TrainerError:
    message = f"Cannot merge the trained parameters into the base: {reason}"
    hint = "Set export.gguf and export.merged to false, or use method.kind: lora with method.target: attention"
    return TrainerError("unsupported_export", message, hint)


def check_merged(method: "Method", rows: "Prepared") -> None:
    """Raises where a merged layer computes something else on two rows than the trained one."""
    import torch

    from ..training.check_ways import check_rows

    device = method.causal.device
    read = [torch.from_numpy(tokens.astype(np.int64))[None].to(device) for tokens, _ in check_rows(rows, 0, [])]

    def run() -> None:
        for ids in read:
            method.causal(**method.arguments(ids), use_cache=False)

    method.model.eval()
    with torch.no_grad():
        for name, merged, trained in method.compare_merged(run):
            _compare_layer(name, merged, trained, str(method.causal.dtype).removeprefix("torch."))


def _compare_layer(name: str, merged, trained, dtype: str) -> None:
    size = trained.abs().max().item()
    if not math.isfinite(size):
        message = f'Cannot export: the trained layer "{name}" returns numbers that are not finite'
        raise TrainerError("not_finite", message, "Lower train.learning_rate", FAILED)
    apart = (merged - trained).abs().max().item()
    if not apart <= LARGEST_DIFFERENCE[dtype] * max(1e-3, size):
        message = f'Cannot export: merging the update into "{name}" changes its output by {apart:.2g}'
        hint = "Keep adapter/, set export.gguf and export.merged to false, and report this base"
        raise TrainerError("bad_export", message, hint, FAILED)
