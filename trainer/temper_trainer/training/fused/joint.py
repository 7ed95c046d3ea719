"""Linear layers that read one input, with their low-rank updates, as one product."""

from collections.abc import Sequence

import torch
from torch.nn.functional import linear

from ...methods.four_bit import FourBitLinear
from ...methods.lora_linear import Update, base_of, update_of
from . import elementwise


class Joint:
    """x · [W₁; W₂; …]ᵀ + bias + scaling · (drop(x) · [A₁; A₂; …]ᵀ) · Bᵀ, where B holds B₁, B₂, … on its diagonal.

    The updates share one dropout mask. Frozen weights are laid side by side in memory once, where that is faster; the
    layers' own parameters become views of that.
    """

    def __init__(self, layers: Sequence[torch.nn.Module]):
        self.bases = [base_of(layer) for layer in layers]
        self.updates = [update_of(layer) for layer in layers]
        self.ends = torch.tensor([base.out_features for base in self.bases]).cumsum(0).tolist()
        self.spans = [slice(end - base.out_features, end) for end, base in zip(self.ends, self.bases, strict=True)]
        self.outputs = self.ends[-1]
        self.low = [(span, update) for span, update in zip(self.spans, self.updates, strict=True) if update]
        ranks = [update.a.shape[0] for _, update in self.low]
        self.rank = sum(ranks)
        starts = [sum(ranks[:place]) for place in range(len(ranks))]
        self.ranks = [slice(start, start + rank) for start, rank in zip(starts, ranks, strict=True)]
        self.four_bit = any(isinstance(base, FourBitLinear) for base in self.bases)
        self.trained = not self.four_bit and self.bases[0].weight.requires_grad
        self.weight = None if self.four_bit else side_by_side([base.weight for base in self.bases])
        self.biased = any(base.bias is not None for base in self.bases)
        self.frozen_bias = None if self.trained else self.bias(None)
        self.buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def update(self) -> Update | None:
        """One of the updates: all have the same scaling and dropout."""
        return self.low[0][1] if self.low else None

    @property
    def off(self) -> bool:
        """Whether the layers are to answer without their updates."""
        return bool(self.low) and self.update.layer.disable_adapters

    def parameters(self) -> list[torch.Tensor]:
        """What is trained, in the order in which `backward` gives gradients."""
        weights = [base.weight for base in self.bases] if self.trained else []
        biases = [base.bias for base in self.bases if base.bias is not None] if self.trained else []
        return [*weights, *biases, *(update.a for _, update in self.low), *(update.b for _, update in self.low)]

    def weights(self, kind: torch.dtype) -> list[tuple[slice, torch.Tensor]]:
        """Which outputs, and the weights that make them."""
        if self.weight is not None:
            return [(slice(0, self.outputs), self.weight.to(kind))]
        if self.four_bit:
            whole = self.bases[0].weight.new_empty(self.outputs, self.bases[0].in_features)
            for span, base in zip(self.spans, self.bases, strict=True):
                base.fill(whole[span])
            return [(slice(0, self.outputs), whole.to(kind))]
        return [(span, base.weight.detach().to(kind)) for span, base in zip(self.spans, self.bases, strict=True)]

    def bias(self, kind: torch.dtype | None) -> torch.Tensor | None:
        if not self.biased:
            return None
        if kind is not None and not self.trained:
            return self.frozen_bias.to(kind)
        like = next(base.bias for base in self.bases if base.bias is not None)
        parts = [like.new_zeros(base.out_features) if base.bias is None else base.bias.detach() for base in self.bases]
        return torch.cat(parts).to(kind or like.dtype)

    def low_rank(self, kind: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """[A₁; A₂; …], and B with zeros beside its diagonal."""
        if self.buffers is None or self.buffers[0].dtype != kind:
            a = self.low[0][1].a.new_empty(self.rank, self.low[0][1].a.shape[1], dtype=kind)
            self.buffers = a, a.new_zeros(self.outputs, self.rank)
        a, b = self.buffers
        own = [update.a.detach() for _, update in self.low] + [update.b.detach() for _, update in self.low]
        places = [a[rank] for rank in self.ranks]
        places += [b[span, rank] for (span, _), rank in zip(self.low, self.ranks, strict=True)]
        torch._foreach_copy_(places, own)
        return a, b

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None, share: float) -> tuple[torch.Tensor, ...]:
        """The outputs of all layers, [tokens, outputs], and what `backward` needs besides x and the mask."""
        weights, bias = self.weights(x.dtype), self.bias(x.dtype)
        if len(weights) == 1:
            out = linear(x, weights[0][1], bias)
        else:
            out = x.new_empty(len(x), self.outputs)
            for span, weight in weights:
                torch.mm(x, weight.T, out=out[:, span])
            out = out if bias is None else out.add_(bias)
        if not self.rank:
            return out, None
        a, b = self.low_rank(x.dtype)
        inner = elementwise.kept(x, mask) @ a.T
        return out.addmm_(inner, b.T, alpha=self.update.scaling / share), inner

    def backward(
        self,
        upstream: torch.Tensor,
        x: torch.Tensor,
        mask: torch.Tensor | None,
        share: float,
        inner: torch.Tensor | None,
        wanted: bool = True,
    ) -> tuple[torch.Tensor | None, list[torch.Tensor]]:
        """The gradients of x, where it is wanted, and of `parameters()`."""
        gradient, found = None, self.weight_gradients(upstream, x)
        if self.rank:
            a, b = self.low_rank(x.dtype)
            inner_upstream = (upstream @ b).mul_(self.update.scaling / share)
            for_a = (inner_upstream.T @ elementwise.kept(x, mask)).float()
            for_b = (upstream.T @ inner).float().mul_(self.update.scaling / share)
            found += [for_a[rank] for rank in self.ranks]
            found += [for_b[span, rank] for (span, _), rank in zip(self.low, self.ranks, strict=True)]
            gradient = elementwise.kept(inner_upstream @ a, mask) if wanted else None
        for span, weight in self.weights(x.dtype) if wanted else ():
            part = upstream[:, span]
            gradient = part @ weight if gradient is None else gradient.addmm_(part, weight)
        return gradient, found

    def weight_gradients(self, upstream: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
        if not self.trained:
            return []
        found = [(upstream[:, span].T @ x).float() for span in self.spans]
        spans = [span for span, base in zip(self.spans, self.bases, strict=True) if base.bias is not None]
        return found + [upstream[:, span].sum(0, dtype=torch.float32) for span in spans]


def side_by_side(weights: Sequence[torch.nn.Parameter]) -> torch.Tensor | None:
    """The weights as one tensor of the same memory; None where they lie apart and stay there: trained ones, and those
    in fp32 on a CPU. There a larger product is no faster, and the base may be its mapped file, which would then be in
    memory twice."""
    first = weights[0].detach()
    rows = sum(len(weight) for weight in weights)
    if not follow(weights):
        mapped = first.device.type == "cpu" and first.dtype == torch.float32
        if mapped or any(weight.requires_grad for weight in weights):
            return None
        joint = torch.cat([weight.detach() for weight in weights])
        for weight, part in zip(weights, joint.split([len(weight) for weight in weights]), strict=True):
            weight.data = part
        return joint
    return first.as_strided((rows, first.shape[1]), first.stride(), first.storage_offset())


def follow(tensors: Sequence[torch.Tensor]) -> bool:
    """Whether each begins in memory where the one before it ends."""
    ends = [tensor.data_ptr() + tensor.numel() * tensor.element_size() for tensor in tensors]
    same = len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
    together = all(tensor.data_ptr() == end for tensor, end in zip(tensors[1:], ends, strict=False))
    return same and together and all(tensor.is_contiguous() for tensor in tensors)
