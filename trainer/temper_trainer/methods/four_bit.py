"""A frozen linear layer that is held in four bits while training and as it came while answering."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import torch
from torch.nn.functional import linear

from ..bases.weights import Weights
from ..training.memory import free_bytes
from .nf4 import Nf4, decoded_scales, fill, quantize, weights

SHARE = 0.5
"""Of the free memory, for original weights: keys, values and logits of an evaluation need the rest."""


class FourBitLinear(torch.nn.Linear):
    """Answers are given with the base's own weights, which the update is merged into in the end. They are read from
    its file for each use, unless `originals_held` has room for them."""

    keeps = False
    """Whether the original weight stays in memory once it was read."""
    kept: torch.Tensor | None = None
    decoded: torch.Tensor | None = None

    def __init__(self, layer: torch.nn.Linear, file: Weights, name: str, dtype: torch.dtype, device: torch.device):
        super().__init__(layer.in_features, layer.out_features, bias=False, device="meta")
        self.file, self.name = file, name
        # Says the type and place of the layer to code that asks its weight
        self.weight = torch.nn.Parameter(torch.empty(0, dtype=dtype, device=device), requires_grad=False)
        if layer.bias is not None:
            bias = read_tensor(file, f"{name}.bias").to(device, dtype)
            self.bias = torch.nn.Parameter(bias, requires_grad=False)
        packed = quantize(self.original())
        for field in fields(Nf4):
            self.register_buffer(field.name, getattr(packed, field.name), persistent=False)

    def original(self) -> torch.Tensor:
        return read_tensor(self.file, f"{self.name}.weight").to(self.weight.device, self.weight.dtype)

    def held(self) -> torch.Tensor:
        if self.kept is not None:
            return self.kept
        weight = self.original()
        if self.keeps:
            self.kept = weight
        return weight

    def values(self) -> torch.Tensor:
        """The weight now."""
        if not self.training:
            return self.held()
        shape = torch.Size((self.out_features, self.in_features))
        return weights(self.codes, self.block_scales(), shape, self.weight.dtype)

    def fill(self, out: torch.Tensor) -> None:
        """Writes `values` into a contiguous tensor."""
        if self.training:
            fill(out, self.codes, self.block_scales())
        else:
            out.copy_(self.held())

    def block_scales(self) -> torch.Tensor:
        """In fp32. On CUDA they are kept: half a bit a weight, and otherwise ten small operations for each use. Not
        where several workers hold a part of the layer each."""
        if self.decoded is not None:
            return self.decoded
        scales = decoded_scales(Nf4(**{field.name: getattr(self, field.name) for field in fields(Nf4)}))
        if scales.device.type == "cuda" and "scales" in self._buffers:
            self.decoded = scales
        return scales

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return FrozenFunction.apply(x, self.values, self.bias)


@contextmanager
def originals_held(model: torch.nn.Module) -> Iterator[None]:
    """While this lasts, original weights stay in memory once they were read, as far as there is room."""
    layers = [layer for layer in model.modules() if isinstance(layer, FourBitLinear)]
    room = SHARE * (free_bytes(layers[0].weight.device.type) or 0) if layers else 0
    for layer in layers:
        room -= layer.in_features * layer.out_features * layer.weight.dtype.itemsize
        layer.keeps = room >= 0
    try:
        yield
    finally:
        for layer in layers:
            layer.keeps, layer.kept = False, None


class FrozenFunction(torch.autograd.Function):
    """x·Wᵀ + bias with W frozen and made anew on the way back."""

    @staticmethod
    def forward(ctx, x, values, bias):
        ctx.values = values
        return linear(x, values(), bias)

    @staticmethod
    def backward(ctx, upstream):
        return upstream @ ctx.values(), None, None


def read_tensor(file: Weights, name: str) -> torch.Tensor:
    """A copy in its own type."""
    entry = file.entries[name]
    kind = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[entry.dtype]
    return torch.from_numpy(file.read(name)).view(kind).view(entry.shape)
