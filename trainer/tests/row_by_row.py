"""The loss as transformers computes it, one row at a time: what every way of computing is compared with."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from temper_trainer.training.compute import row_losses
from temper_trainer.training.ways import Longest, choose_ways

CPU = torch.device("cpu")


class Table(list):
    """Rows of tokens and labels, as Prepared gives them."""

    def row(self, index: int):
        return self[index]

    @property
    def lengths(self) -> list[int]:
        return [len(tokens) for tokens, _ in self]


class JobOf:
    """As much of a job as a method needs."""

    def __init__(self, method):
        self.method = method


def some_rows(lengths=(14, 33, 21, 33, 9), seed=0) -> Table:
    random = np.random.default_rng(seed)
    return Table(
        (random.integers(5, 300, n).astype(np.int32), random.integers(0, 2, n).astype(np.uint8)) for n in lengths
    )


def whole_loss(model, arguments, row) -> torch.Tensor:
    """Losses of a row's labelled tokens. `arguments` makes what the model is called with from ids, [1, tokens]."""
    tokens, labels = row
    ids = torch.from_numpy(np.array(tokens, np.int64))
    logits = model(**arguments(ids[None]), use_cache=False).logits[0, -len(tokens) : -1].float()
    return cross_entropy(logits, ids[1:], reduction="none")[torch.from_numpy(np.array(labels[1:], bool))]


def move(method) -> None:
    """Gives every trained number another value, as training does."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in method.parameters().values():
            tensor += torch.randn(tensor.shape, generator=generator) * 0.05


def chosen(method, table: Table, longest: int = 40):
    return choose_ways(method, table, Longest(longest, longest + 8), True)[0]


def distances(method, table: Table, way) -> tuple[float, float]:
    """How far losses and gradients of a way lie from those of the whole model: the largest difference of a loss, and
    of a gradient as a share of the largest one."""
    named = list(method.parameters().values())
    ours = {}
    with way.on(method.causal):
        for batch in way.batches(table.lengths, 64):
            losses, numbers = row_losses(method, [table[i] for i in batch], way, CPU)
            ours |= zip(batch, losses.split(np.bincount(numbers, minlength=len(batch)).tolist()), strict=True)
        ours = torch.cat([ours[i] for i in range(len(table))])
        gradients = torch.autograd.grad(ours.sum(), named, allow_unused=True)
    theirs = torch.cat([whole_loss(method.causal, method.arguments, row) for row in table])
    expected = torch.autograd.grad(theirs.sum(), named, allow_unused=True)
    scale = max(part.abs().max().item() for part in expected if part is not None)
    pairs = [(a, b) for a, b in zip(gradients, expected, strict=True) if a is not None or b is not None]
    assert all(a is not None and b is not None for a, b in pairs), "a tensor has a gradient one way and not the other"
    apart = max((a - b).abs().max().item() for a, b in pairs)
    return (ours - theirs).abs().max().item(), apart / scale
