"""A linear layer with its low-rank update, computed as one operation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear

from ..training.random_state import RandomState
from .four_bit import FourBitLinear


class LoraFunction(torch.autograd.Function):
    """x·Wᵀ + bias + scaling · (drop(x)·Aᵀ)·Bᵀ with W = values() frozen.

    PEFT keeps for each layer the dropped-out input and its mask in the input's own type. This keeps the input, which
    neighbouring layers share, and one byte of mask for each element.
    """

    @staticmethod
    def forward(ctx, x, values, bias, a, b, scaling, mask, kept):
        ctx.values, ctx.scaling, ctx.kept, ctx.shape = values, scaling, kept, x.shape
        flat = x.reshape(-1, x.shape[-1])
        inner = dropped(flat, mask, kept) @ a.to(x.dtype).T
        out = linear(x, values(), bias)
        out.view(-1, out.shape[-1]).addmm_(inner, b.to(x.dtype).T, alpha=scaling)
        ctx.save_for_backward(flat, a, b, inner, mask)
        return out  # no view: some models add to it in place

    @staticmethod
    def backward(ctx, upstream):
        flat, a, b, inner, mask = ctx.saved_tensors
        upstream = upstream.reshape(-1, upstream.shape[-1])
        inner_upstream = (upstream @ b.to(upstream.dtype)).mul_(ctx.scaling)
        grad_a = (inner_upstream.T @ dropped(flat, mask, ctx.kept)).to(a.dtype)
        grad_b = (upstream.T @ inner).mul_(ctx.scaling).to(b.dtype)
        grad_x = None
        if ctx.needs_input_grad[0]:
            low = inner_upstream @ a.to(upstream.dtype)
            if mask is not None:
                low.mul_(mask).mul_(1 / ctx.kept)
            grad_x = low.addmm_(upstream, ctx.values()).view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None, None, None


def dropped(x: torch.Tensor, mask: torch.Tensor | None, kept: float) -> torch.Tensor:
    return x if mask is None else (x * mask).mul_(1 / kept)


def forward(layer, random: RandomState, name: str, x: torch.Tensor) -> torch.Tensor:
    """Stands in for the forward of PEFT's LoRA layer."""
    base, dropout = layer.base_layer, layer.lora_dropout[name]
    if layer.disable_adapters:
        return base(x)
    mask, kept = None, 1.0
    if layer.training and getattr(dropout, "p", 0) > 0:
        mask, kept = random.dropout_mask(torch.Size((x.shape[:-1].numel(), x.shape[-1])), dropout.p)
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    return LoraFunction.apply(x, weight_of(base), base.bias, a, b, layer.scaling[name], mask, kept)


def weight_of(base) -> Callable[[], torch.Tensor]:
    return base.values if isinstance(base, FourBitLinear) else lambda: base.weight


def install(layers, random: RandomState, name: str) -> None:
    """Makes PEFT's LoRA layers compute this way; their tensors, names and files stay PEFT's."""
    for layer in layers:
        layer.forward = partial(forward, layer, random, name)
        layer.update = Update(layer, random, name)


@dataclass(frozen=True)
class Update:
    """The low-rank update of one layer, for what computes several of them together."""

    layer: Any
    random: RandomState
    name: str

    @property
    def a(self) -> torch.nn.Parameter:
        return self.layer.lora_A[self.name].weight

    @property
    def b(self) -> torch.nn.Parameter:
        return self.layer.lora_B[self.name].weight

    @property
    def scaling(self) -> float:
        return self.layer.scaling[self.name]

    @property
    def dropout(self) -> float:
        """The share of its input that is dropped out while training."""
        return getattr(self.layer.lora_dropout[self.name], "p", 0.0)


def update_of(layer) -> Update | None:
    return getattr(layer, "update", None) if hasattr(layer, "lora_A") else None


def base_of(layer):
    """The linear layer without its update."""
    return layer.base_layer if hasattr(layer, "lora_A") else layer
