"""AdamW over one flat tensor, and how the learning rate moves."""

import hashlib
import math
import sys

import torch

from ..errors import TrainerError
from ..job.settings import Train
from ..methods.nf4 import import_bitsandbytes
from .workers import ALONE, Workers

PIECE = {"cpu": 1 << 22, "cuda": 1 << 30}
"""Numbers that bitsandbytes steps at once. On the CPU it holds five copies of them in fp32 while it does, and on CUDA
it counts them in 32 bits."""


class FlatParameters:
    """
    The trained tensors as views of one: the optimiser, clipping, checkpoints and what several workers tell each other
    then cost one operation each. Every worker holds all of it.
    """

    def __init__(self, named: dict[str, torch.nn.Parameter], workers: Workers = ALONE):
        self.workers = workers
        self.named = dict(sorted(named.items()))
        first = next(iter(self.named.values()))
        total = sum(parameter.numel() for parameter in self.named.values())
        self.values = torch.empty(total, dtype=torch.float32, device=first.device)
        self.values.grad = torch.zeros_like(self.values)
        start = 0
        for parameter in self.named.values():
            end = start + parameter.numel()
            self.values[start:end] = parameter.detach().flatten()
            parameter.data = self.values[start:end].view(parameter.shape)
            parameter.grad = self.values.grad[start:end].view(parameter.shape)
            start = end

    @property
    def gradient(self) -> torch.Tensor:
        return self.values.grad

    @property
    def count(self) -> int:
        """Trained numbers, over all workers."""
        return self.values.numel()

    def reduce(self) -> None:
        """Adds up the gradients of all workers."""
        self.workers.sum(self.gradient)

    def norm(self) -> float:
        return self.gradient.norm().item()

    def clip(self, max_norm: float) -> float:
        """Scales the gradient down to `max_norm`; returns its norm before."""
        norm = self.norm()
        if norm > max_norm:
            self.gradient.mul_(max_norm / norm)
        return norm

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        """All numbers of which a tensor like `values` is this worker's part, in the order of the names; the leader
        alone is given them. Any other tensor is whole already."""
        return tensor

    def fill(self, tensor: torch.Tensor, whole: torch.Tensor | None) -> None:
        """The reverse: each worker takes its part of what the leader holds, or of the leader's own where it has
        none."""
        if whole is not None:
            tensor.copy_(whole)
        self.workers.broadcast(tensor)

    def sha256(self) -> str:
        """Digest over names, shapes and values."""
        digest = hashlib.sha256()
        for name, parameter in self.named.items():
            digest.update(f"{name} {tuple(parameter.shape)} ".encode())
            digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def check_optimizer(train: Train, device: str, workers: Workers) -> None:
    """Raises where the job's optimizer cannot be had."""
    if train.optimizer != "adamw_8bit":
        return
    hint = "set train.optimizer to adamw"
    if not workers.alone:
        message = "Cannot use train.optimizer adamw_8bit with several workers: they cannot share its state"
        raise TrainerError("no_optimizer", message, f"Use one worker, or {hint}")
    if device not in ("cpu", "cuda"):
        message = f"Cannot use train.optimizer adamw_8bit on {device}: bitsandbytes has no kernel for it"
        raise TrainerError("no_optimizer", message, hint.capitalize())
    if import_bitsandbytes() is None:
        message = f'Cannot use train.optimizer adamw_8bit: "{sys.executable}" cannot import bitsandbytes'
        raise TrainerError("no_optimizer", message, f"Install bitsandbytes 0.50 or newer there, or {hint}")


def make_optimizer(flat: FlatParameters, train: Train, model: torch.nn.Module) -> "torch.optim.Optimizer | AdamW8bit":
    return AdamW8bit(flat, train, model) if train.optimizer == "adamw_8bit" else adamw(flat.values, train)


def adamw(values: torch.Tensor, train: Train) -> torch.optim.AdamW:
    fused = values.device.type in ("cpu", "cuda", "mps")
    options = {"lr": train.learning_rate, "weight_decay": train.weight_decay, "fused": fused or None}
    optimizer = torch.optim.AdamW([values], **options)
    device = "cpu" if values.device.type == "cpu" else values.device
    optimizer.state[values] = {
        "step": torch.zeros((), dtype=torch.float32, device=device),
        "exp_avg": torch.zeros_like(values),
        "exp_avg_sq": torch.zeros_like(values),
    }
    return optimizer


class AdamW8bit:
    """
    AdamW of bitsandbytes, both moments in 8 bits (arXiv 2110.02861). Embeddings keep 32, as its authors advise:
    their gradients are 0 but for a few rows, and far apart.
    """

    def __init__(self, flat: FlatParameters, train: Train, model: torch.nn.Module):
        bitsandbytes = import_bitsandbytes()
        embeddings = {id(part.weight) for part in model.modules() if isinstance(part, torch.nn.Embedding)}
        precise, coarse, start = [], [], 0
        for parameter in flat.named.values():
            end = start + parameter.numel()
            (precise if id(parameter) in embeddings else coarse).append((start, end))
            start = end
        size = PIECE[flat.values.device.type]
        self.parts: list[torch.optim.Optimizer] = [adamw(span(flat, *place), train) for place in joined(precise)]
        pieces = [
            span(flat, at, min(at + size, end)) for start, end in joined(coarse) for at in range(start, end, size)
        ]
        options = {"lr": train.learning_rate, "weight_decay": train.weight_decay, "min_8bit_size": 1}
        self.parts.append(bitsandbytes.optim.AdamW8bit(pieces, **options))

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        """With the learning rate of the first group."""
        for group in self.param_groups:
            group["lr"] = self.param_groups[0]["lr"]
        for part in self.parts:
            part.step()


def joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring spans as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def span(flat: FlatParameters, start: int, end: int) -> torch.nn.Parameter:
    """A part of all trained numbers, with its part of the gradient."""
    part = torch.nn.Parameter(flat.values[start:end])
    part.grad = flat.gradient[start:end]
    return part


def optimizer_state(optimizer: "torch.optim.Optimizer | AdamW8bit", flat: FlatParameters) -> dict[str, torch.Tensor]:
    """For a checkpoint. What has made no step yet may have no state."""
    kept = {}
    for name, parameter, part in places(optimizer):
        for key, value in part.state[parameter].items():
            # All pieces share one table of levels, and a file keeps each tensor for itself
            whole = flat.whole(torch.as_tensor(value))
            kept[f"{name}.{key}"] = whole.clone() if key.startswith("qmap") else whole
    return kept


@torch.no_grad()
def restore_optimizer(
    optimizer: "torch.optim.Optimizer | AdamW8bit", flat: FlatParameters, kept: dict[str, torch.Tensor]
) -> None:
    """`kept` of a checkpoint, which the leader alone holds."""
    for name, parameter, part in places(optimizer):
        state = part.state[parameter]
        if isinstance(part, torch.optim.AdamW):
            for key, tensor in state.items():
                flat.fill(tensor, kept.get(f"{name}.{key}"))
            continue
        # That of bitsandbytes has no state before its first step, and counts steps outside of tensors
        found = {key.rpartition(".")[2]: value for key, value in kept.items() if key.rpartition(".")[0] == name}
        state |= {key: int(value) if key == "step" else value.to(parameter.device) for key, value in found.items()}


def places(optimizer: "torch.optim.Optimizer | AdamW8bit"):
    """Each tensor that is optimised: the name of its state in a checkpoint, and by which optimizer."""
    if not isinstance(optimizer, AdamW8bit):
        yield "optimizer", optimizer.param_groups[0]["params"][0], optimizer
        return
    for number, part in enumerate(optimizer.parts):
        for place, parameter in enumerate(part.param_groups[0]["params"]):
            yield f"optimizer.{number}.{place}", parameter, part


def learning_rate(train: Train, step: int, steps: int) -> float:
    """Of a step counted from 0: rises over the warm-up, then falls as the schedule says."""
    warmup = math.ceil(train.warmup_ratio * steps)
    if step < warmup:
        return train.learning_rate * (step + 1) / warmup
    if train.schedule == "constant":
        return train.learning_rate
    done = (step - warmup) / max(1, steps - warmup)
    share = 1 - done if train.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return train.learning_rate * share
