"""A frozen linear layer that is held in four bits while training and as it came while answering."""

from dataclasses import fields

import torch
from torch.nn.functional import linear

from ..bases.weights import Weights
from .nf4 import Nf4, dequantize, quantize


class FourBitLinear(torch.nn.Linear):
    """Answers are given with the base's own weights, read from its file for each use: they are what the update is
    merged into in the end, and never stay in memory."""

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

    def values(self) -> torch.Tensor:
        """The weight now."""
        if not self.training:
            return self.original()
        packed = Nf4(**{field.name: getattr(self, field.name) for field in fields(Nf4)})
        return dequantize(packed, torch.Size((self.out_features, self.in_features)), self.weight.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return FrozenFunction.apply(x, self.values, self.bias)


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
