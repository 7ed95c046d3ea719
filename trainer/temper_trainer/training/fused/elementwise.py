"""The element-wise parts of a decoder layer, forward and backward, as functions of tensors and nothing else.

Everything else calls them through this module, so that each may be replaced by a compiled one.
"""

import torch
from torch.nn.functional import silu


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """weight · x / rms(x) over the last dimension, and 1 / rms(x) in fp32."""
    rate = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)
    return scaled(x, weight, rate), rate


def scaled(x: torch.Tensor, weight: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
    """What `rms_norm` gave, from its `rate`."""
    return weight * (x * rate).to(x.dtype)


def rms_norm_backward(
    upstream: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, rate: torch.Tensor, beside: torch.Tensor | None
) -> torch.Tensor:
    """The gradient of x, added to `beside`: what reaches x past the norm."""
    weighted = upstream.float() * weight
    wide = x.float()
    share = (weighted * wide).mean(-1, keepdim=True).mul_(rate**3)
    own = weighted.mul_(rate).addcmul_(wide, share, value=-1)
    return (own if beside is None else own.add_(beside)).to(x.dtype)


def rms_norm_weight_backward(upstream: torch.Tensor, x: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
    return (upstream * (x * rate)).flatten(0, -2).sum(0, dtype=torch.float32)


def rotate_(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> None:
    """Rotary embedding of [tokens, heads, size] in place, cos and sin being [tokens, 1, size / 2]. With -sin it is the
    way back."""
    first, second = states.chunk(2, -1)
    before = first.clone()
    first.mul_(cos).addcmul_(second, sin, value=-1)
    second.mul_(cos).addcmul_(before, sin)


def swiglu(joint: torch.Tensor) -> torch.Tensor:
    """silu(gate) · up of [gate, up]."""
    gate, up = joint.chunk(2, -1)
    return silu(gate).mul_(up)


def swiglu_backward(upstream: torch.Tensor, joint: torch.Tensor) -> torch.Tensor:
    """The gradient of [gate, up]."""
    gate, up = joint.chunk(2, -1)
    found = torch.empty_like(joint)
    gate_gradient, up_gradient = found.chunk(2, -1)
    torch.mul(upstream, silu(gate), out=up_gradient)
    gate_gradient.copy_(torch.ops.aten.silu_backward(upstream * up, gate))
    return found


def kept(x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """x where dropout keeps it, otherwise 0."""
    # A product of two types would be formed number by number
    return x if mask is None else mask.view(torch.uint8).to(x.dtype).mul_(x)
