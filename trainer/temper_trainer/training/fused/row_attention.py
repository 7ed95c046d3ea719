"""Causal attention inside rows that lie end to end, on a CPU: batched products over rows of like length, and over the
heads that share keys, a block of queries at a time.

PyTorch's own kernel costs more than the rest of a layer where rows are short, and its way back most of it where they
are long. Products are in fp32 whatever the type is: they are few, and rounding them costs more than it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

BLOCK = 128
"""Queries at a time: the scores of a block stay in the processor's cache, and later keys are left out."""
FILLED = 0.7
"""The shortest of rows that are filled up to one length has this share of it."""


@dataclass(frozen=True)
class Rows:
    """Rows that are computed together, `count` of them, each filled up to `length`."""

    count: int
    length: int
    start: int
    """Where the first of them begins."""
    end: int
    spread: torch.Tensor | None
    """Which token stands at each place of the filled rows; None where nothing is filled up. What fills a row stands
    behind it, where none of its queries looks."""
    real: torch.Tensor | None
    """The places at which the tokens stand."""

    def spread_out(self, joint: torch.Tensor) -> torch.Tensor:
        """[tokens, …] as [count, length, …]."""
        part = joint[self.start : self.end] if self.spread is None else joint.index_select(0, self.spread)
        return part.unflatten(0, (self.count, self.length))

    def spread_zeros(self, joint: torch.Tensor) -> torch.Tensor:
        """The same with zeros where a row is filled up."""
        if self.real is None:
            return self.spread_out(joint)
        whole = joint.new_zeros(self.count * self.length, *joint.shape[1:])
        whole.index_copy_(0, self.real, joint[self.start : self.end])
        return whole.unflatten(0, (self.count, self.length))

    def put(self, target: torch.Tensor, states: torch.Tensor) -> None:
        """[count, length, …] into the tokens of `target`."""
        if self.real is None:
            target[self.start : self.end] = states.flatten(0, 1)
        else:
            torch.index_select(states.flatten(0, 1), 0, self.real, out=target[self.start : self.end])


@lru_cache(maxsize=8)
def plan(segments: tuple[tuple[int, int], ...]) -> list[Rows]:
    """Neighbouring rows of like length together; long ones only with their equals."""
    lengths = [length for count, length in segments for _ in range(count)]
    groups: list[list[int]] = []
    for length in lengths:
        longest, shortest = (max(groups[-1]), min(groups[-1])) if groups else (0, 0)
        high, low = max(longest, length), min(shortest, length)
        if not groups or (high != low and (high > BLOCK or low < FILLED * high)):
            groups.append([])
        groups[-1].append(length)
    found, start = [], 0
    for group in groups:
        found.append(rows_of(group, start))
        start += sum(group)
    return found


def rows_of(lengths: Sequence[int], start: int) -> Rows:
    longest, end = max(lengths), start + sum(lengths)
    if min(lengths) == longest:
        return Rows(len(lengths), longest, start, end, None, None)
    sizes = torch.tensor(lengths)[:, None]
    places = torch.arange(longest)[None]
    spread = start + sizes.cumsum(0) - sizes + torch.minimum(places, sizes - 1)
    return Rows(len(lengths), longest, start, end, spread.flatten(), (places < sizes).flatten().nonzero()[:, 0])


@lru_cache(maxsize=64)
def later_keys(start: int, end: int, heads: int) -> torch.Tensor:
    """-inf where a key comes after the query, for the queries from `start` to `end`, each with its heads."""
    later = torch.arange(end)[None] > torch.arange(start, end)[:, None]
    return torch.zeros(end - start, end).masked_fill_(later, float("-inf")).repeat_interleave(heads, 0)


def probabilities(q: torch.Tensor, k: torch.Tensor, start: int, end: int, heads: int, scaling: float) -> torch.Tensor:
    """Of the queries of a block, over the keys up to it."""
    scores = torch.baddbmm(
        later_keys(start, end, heads), q[:, start * heads : end * heads], k[:, :end].mT, alpha=scaling
    )
    return torch.softmax(scores, -1, out=scores)


def by_head(states: torch.Tensor, keys: int) -> torch.Tensor:
    """[count, length, heads, size] as [count · keys, length · heads of a key, size] in fp32."""
    count, length, _, size = states.shape
    found = states.new_empty(count, keys, length, states.shape[2] // keys, size, dtype=torch.float32)
    found.copy_(states.view(count, length, keys, -1, size).transpose(1, 2))
    return found.view(count * keys, -1, size)


def from_heads(target: torch.Tensor, states: torch.Tensor, keys: int) -> None:
    """The way back, into [count, length, heads, size]."""
    count, length, _, size = target.shape
    target.view(count, length, keys, -1, size).copy_(states.view(count, keys, length, -1, size).transpose(1, 2))


class RowAttention(torch.autograd.Function):
    """[tokens, heads · size] of queries, keys and values side by side, [tokens, heads + 2 keys, size]."""

    @staticmethod
    def forward(ctx, segments: tuple[tuple[int, int], ...], sizes: tuple[int, int], scaling: float, joint):
        queries, keys = sizes
        heads = queries // keys
        attended = joint.new_empty(len(joint), queries, joint.shape[-1])
        for rows in plan(segments):
            parts = rows.spread_out(joint).split([queries, keys, keys], dim=2)
            q, k, v = (by_head(part, keys) for part in parts)
            out = torch.empty_like(q)
            for start in range(0, rows.length, BLOCK):
                end = min(start + BLOCK, rows.length)
                found = probabilities(q, k, start, end, heads, scaling)
                torch.bmm(found, v[:, :end], out=out[:, start * heads : end * heads])
            whole = torch.empty(parts[0].shape, dtype=joint.dtype)
            from_heads(whole, out, keys)
            rows.put(attended, whole)
        ctx.segments, ctx.sizes, ctx.scaling = segments, sizes, scaling
        ctx.save_for_backward(joint)
        return attended.flatten(1)

    @staticmethod
    def backward(ctx, upstream):
        (joint,) = ctx.saved_tensors
        queries, keys = ctx.sizes
        gradient = torch.empty_like(joint)
        for rows in plan(ctx.segments):
            whole = rows.spread_out(joint)
            q, k, v = (by_head(part, keys) for part in whole.split([queries, keys, keys], dim=2))
            out = by_head(rows.spread_zeros(upstream.view(len(joint), queries, -1)), keys)
            found = gradients(q, k, v, out, queries // keys, ctx.scaling)
            whole = torch.empty(whole.shape, dtype=joint.dtype)
            for target, states in zip(whole.split([queries, keys, keys], dim=2), found, strict=True):
                from_heads(target, states, keys)
            rows.put(gradient, whole)
        return None, None, None, gradient


def gradients(q, k, v, upstream, heads: int, scaling: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of queries, keys and values. The last block sees every key, and so comes first."""
    length = k.shape[1]
    for_q, for_k, for_v = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
    for start in reversed(range(0, length, BLOCK)):
        end = min(start + BLOCK, length)
        block, fresh = slice(start * heads, end * heads), int(end < length)
        found = probabilities(q, k, start, end, heads, scaling)
        errors = torch.bmm(upstream[:, block], v[:, :end].mT)
        errors = torch._softmax_backward_data(errors, found, -1, torch.float32).mul_(scaling)
        torch.bmm(errors, k[:, :end], out=for_q[:, block])
        for_v[:, :end].baddbmm_(found.mT, upstream[:, block], beta=fresh)
        for_k[:, :end].baddbmm_(errors.mT, q[:, block], beta=fresh)
    return for_q, for_k, for_v
