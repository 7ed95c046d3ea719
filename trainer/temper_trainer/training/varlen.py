"""Attention over rows of any length in one kernel: PyTorch's varlen attention (FlashAttention-2, arXiv 2307.08691)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch

from .transfer import to_device

LARGEST_HEAD = 256


@dataclass(frozen=True)
class Bounds:
    """Where rows that are laid end to end begin, for queries and for the keys that each of them sees."""

    queries: torch.Tensor
    """Cumulative lengths, int32, [rows + 1]."""
    keys: torch.Tensor
    longest_query: int
    longest_key: int
    before: int
    """Positions that stand before each row, and are laid out before each of them."""
    spread: torch.Tensor | None = None
    """For keys with `before`: which of (positions before, own keys) stands at each place, int64."""
    own: torch.Tensor | None = None
    """Places of the rows' own keys in `spread`."""
    copies: torch.Tensor | None = None
    """Places of the others: each copy of what stands before."""


def bounds_of(
    segments: Sequence[tuple[int, int]], device: torch.device, before: int = 0, shared: bool = False
) -> Bounds | None:
    """Of segments as a Pack has them. `before`: positions that all rows see; `shared`: they are a row themselves, the
    first one. None where there is no such kernel."""
    if device.type != "cuda" or kernel() is None:
        return None
    return lay_out([length for count, length in segments for _ in range(count)], device, before, shared)


def lay_out(lengths: Sequence[int], device: torch.device, before: int, shared: bool) -> Bounds:
    query_lengths = [before, *lengths] if shared else list(lengths)
    key_lengths = [before, *(before + length for length in lengths)] if shared else [before + n for n in lengths]
    spread = own = copies = None
    if before:
        first = torch.arange(before)
        starts = [0, *accumulate(lengths)]
        places = [torch.arange(before + start, before + end) for start, end in pairwise(starts)]
        parts = [part for row in places for part in (first, row)]
        spread = torch.cat([first, *parts] if shared else parts)
        indices = ((spread >= before).nonzero()[:, 0], (spread < before).nonzero()[:, 0], spread)
        own, copies, spread = (to_device(found, device) for found in indices)
    return Bounds(
        _cumulative(query_lengths, device),
        _cumulative(key_lengths, device),
        max(query_lengths),
        max(key_lengths),
        before,
        spread,
        own,
        copies,
    )


def _cumulative(lengths: Sequence[int], device: torch.device) -> torch.Tensor:
    return to_device(torch.tensor([0, *accumulate(lengths)], dtype=torch.int32), device)


def kernel():
    """PyTorch's function; None in versions before it."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


def fits(query: torch.Tensor, value: torch.Tensor, dropout: float) -> bool:
    """Whether the kernel computes such states."""
    size = query.shape[-1]
    half = query.dtype in (torch.bfloat16, torch.float16)
    return half and dropout == 0 and size <= LARGEST_HEAD and size % 8 == 0 and value.shape[-1] == size


def varlen_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: Bounds,
    scale: float | None,
    window: int | None,
) -> torch.Tensor:
    """Causal attention inside each row, [tokens, heads, head size]. Keys and values: [before + tokens, key/value
    heads, head size], what stands before the rows first."""
    if bounds.spread is not None:
        key, value = (Spread.apply(states, bounds) for states in (key, value))
    return kernel()(
        query,
        key,
        value,
        bounds.queries,
        bounds.keys,
        bounds.longest_query,
        bounds.longest_key,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
    )


class Spread(torch.autograd.Function):
    """What stands before all rows, copied before each. The way back sums in an order of its own: index_add would not
    give the same bits twice on a GPU."""

    @staticmethod
    def forward(ctx, states: torch.Tensor, bounds: Bounds) -> torch.Tensor:
        ctx.bounds = bounds
        return states.index_select(0, bounds.spread)

    @staticmethod
    def backward(ctx, upstream: torch.Tensor):
        bounds = ctx.bounds
        copies = upstream.index_select(0, bounds.copies).unflatten(0, (-1, bounds.before))
        first = copies.sum(0, dtype=torch.float32).to(upstream.dtype)
        return torch.cat([first, upstream.index_select(0, bounds.own)]), None
