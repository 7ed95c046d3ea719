"""AdamW over one flat tensor, and how the learning rate moves."""

import hashlib
import math

import torch

from ..job.settings import Train
from .workers import ALONE, Workers


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


def make_optimizer(flat: FlatParameters, train: Train) -> torch.optim.AdamW:
    fused = flat.values.device.type in ("cpu", "cuda", "mps")
    optimizer = torch.optim.AdamW(
        [flat.values], lr=train.learning_rate, weight_decay=train.weight_decay, fused=fused or None
    )
    optimizer.state[flat.values] = {
        "step": torch.zeros(
            (), dtype=torch.float32, device="cpu" if flat.values.device.type == "cpu" else flat.values.device
        ),
        "exp_avg": torch.zeros_like(flat.values),
        "exp_avg_sq": torch.zeros_like(flat.values),
    }
    return optimizer


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
