"""The K-quants of GGUF: super-blocks of 256 values in groups that share a scale, and in Q4_K and Q5_K a minimum.

`ggml/src/ggml-common.h` of llama.cpp defines the bytes. How scales are chosen is left to the writer: here, for each
group, the best of some ranges by weighted least squares, where large values weigh more.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from .types import Q4_K, Q5_K, Q6_K

SUPER = 256
"""Values of a super-block: rows are a multiple of it."""
CHUNK = 256
"""Super-blocks worked on at a time: what they need stays in a processor's cache."""
SAME = 5e-6
"""Of the mean squared level, the variance below which only rounding tells levels apart: one of 32 that is 30, where
the others are 31, makes 3e-5."""
TINY = 1e-15
"""Values nearer to zero are zero, as llama.cpp has it: their squares and the inverse of those are no fp32 numbers."""


def quantize_k(values: np.ndarray, kind: int) -> np.ndarray:
    """fp32 values, whole rows, as bytes. OverflowError where a block's scale is no fp16 number."""
    write, threads = WRITERS[kind], torch.get_num_threads()
    parts = torch.from_numpy(np.require(values, np.float32, "CW")).view(-1, SUPER).split(CHUNK)

    def written(part: Tensor) -> np.ndarray:
        with torch.no_grad():
            return write(part.masked_fill(part.abs() < TINY, 0)).numpy()

    # Each thread has parts of its own: they are too small to be worth dividing.
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return np.concatenate(list(pool.map(written, parts))).reshape(-1)
    finally:
        torch.set_num_threads(threads)  # a thread that sets its own also sets that of threads to come


def pack_q4(blocks: Tensor) -> Tensor:
    """[blocks, 256] as [blocks, 144]: scale and minimum in fp16, 12 bytes of both for 8 groups, then 4 bits each."""
    head, levels = scales_and_levels(blocks, 15)
    return torch.cat([head, nibbles(levels)], 1)


def pack_q5(blocks: Tensor) -> Tensor:
    """[blocks, 256] as [blocks, 176]: as Q4_K, with the fifth bits before the other four."""
    head, levels = scales_and_levels(blocks, 31)
    fifth = (levels >> 4).view(-1, 8, 32)
    return torch.cat([head, joined([fifth[:, group] << group for group in range(8)]), nibbles(levels & 15)], 1)


def nibbles(levels: Tensor) -> Tensor:
    """Of each 64 values the first half in the low bits, the second in the high ones."""
    pairs = levels.view(-1, 4, 2, 32)
    return (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(-1, 128)


def joined(parts: list[Tensor]) -> Tensor:
    result = parts[0]
    for part in parts[1:]:
        result = result | part
    return result


def scales_and_levels(blocks: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """The first 16 bytes of each block, and the levels 0 to `top` of its values as [blocks, 256]."""
    groups = blocks.view(-1, 32).T.contiguous()
    scale, minimum = (part.view(-1, 8) for part in best_ranges(groups, top))
    step, low = (part.amax(1, keepdim=True) / 63 for part in (scale, minimum))
    # Six bits for each group's share of the block's
    scales, minima = sixths(scale, step), sixths(minimum, low)
    step, low = as_fp16(step), as_fp16(low)
    steps, lows = ((whole.float() * part).view(1, -1) for whole, part in ((step, scales), (low, minima)))
    levels = (groups + lows).mul_(reciprocal(steps)).round_().clamp_(0, top)
    return torch.cat([as_bytes(step), as_bytes(low), packed_sixths(scales, minima)], 1), by_block(levels)


def best_ranges(groups: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """Of each column of [32, groups] the scale and how far below zero its lowest level lies, both positive."""
    weights = groups.square().mean(0).sqrt_() + groups.abs()
    low = groups.amin(0).clamp_(max=0)
    span = groups.amax(0) - low
    shifted, weighted = groups - low, weights * groups
    all_w, all_x = weights.sum(0), weighted.sum(0)
    mean = all_x * reciprocal(all_w)
    best = scale = minimum = None
    for widened in RANGES[top]:
        levels = (shifted * (reciprocal(span) * (top + widened))).round_().clamp_(max=top)
        share = weights * levels
        one, product = share.sum(0), (weighted * levels).sum(0)
        two = share.mul_(levels).sum(0)
        # The line through (level, value) with the smallest weighted squares; its lowest level lies at or below zero
        spread = all_w * two - one * one
        divisor = reciprocal(spread)
        slope, offset = (all_w * product - all_x * one) * divisor, (two * all_x - one * product) * divisor
        # Values that all have one level leave the slope open: the line goes through zero, or lies flat at level 0
        same = spread <= SAME * all_w * two
        offset = torch.where(same, mean.masked_fill(two != 0, 0), offset)
        slope = torch.where(offset < 0, slope, product * reciprocal(two))
        offset = offset.clamp_(max=0)
        explained = slope * product + offset * all_x
        if best is None:
            best, scale, minimum = explained, slope, offset
            continue
        better = explained > best
        best, scale, minimum = (
            torch.where(better, new, old) for new, old in ((explained, best), (slope, scale), (offset, minimum))
        )
    return scale.clamp_(min=0), minimum.neg_()


def sixths(values: Tensor, step: Tensor) -> Tensor:
    return (values * reciprocal(step)).round_().clamp_(0, 63).to(torch.uint8)


def packed_sixths(scales: Tensor, minima: Tensor) -> Tensor:
    """Eight scales and eight minima of six bits in twelve bytes: those of the first four groups whole, and above them
    the upper bits of the others'."""
    first = scales[:, :4] | (scales[:, 4:] >> 4) << 6
    second = minima[:, :4] | (minima[:, 4:] >> 4) << 6
    return torch.cat([first, second, scales[:, 4:] & 15 | (minima[:, 4:] & 15) << 4], 1)


def pack_q6(blocks: Tensor) -> Tensor:
    """[blocks, 256] as [blocks, 210]: four bits each, two bits each, 16 scales of 8 bits, and their scale in fp16."""
    groups = blocks.view(-1, 16).T.contiguous()
    scale = best_scales(groups).view(-1, 16)
    largest = scale.gather(1, scale.abs().argmax(1, keepdim=True))
    scales = (scale * reciprocal(largest) * -128).round_().clamp_(-128, 127)
    step = as_fp16(largest / -128)
    levels = by_block((groups * reciprocal((step.float() * scales).view(1, -1))).round_().clamp_(-32, 31) + 32)
    halves = levels.view(-1, 2, 4, 32)
    low, high = halves & 15, halves >> 4
    fours = torch.stack([low[:, :, 0] | low[:, :, 2] << 4, low[:, :, 1] | low[:, :, 3] << 4], 2).reshape(-1, 128)
    twos = joined([high[:, :, part] << 2 * part for part in range(4)]).reshape(-1, 64)
    return torch.cat([fours, twos, scales.to(torch.int8).view(torch.uint8), as_bytes(step)], 1)


def best_scales(groups: Tensor) -> Tensor:
    """Of each column of [16, groups] the scale, negative where the value farthest from zero is positive: of the levels
    -32 to 31 the lowest reaches farther."""
    largest = groups.gather(0, groups.abs().argmax(0, keepdim=True))[0]
    inverse = reciprocal(largest)
    weights = groups.square()
    weighted = weights * groups
    best = scale = None
    for widened in (-0.8, -0.4, 0.0, 0.4, 0.8):
        levels = (groups * (inverse * -(32 + widened))).round_().clamp_(-32, 31)
        product = (weighted * levels).sum(0)
        slope = product * reciprocal((levels.square_().mul_(weights)).sum(0))
        explained = slope * product
        if best is None:
            best, scale = explained, slope
            continue
        better = explained > best
        best, scale = torch.where(better, explained, best), torch.where(better, slope, scale)
    return scale


def reciprocal(values: Tensor) -> Tensor:
    """0 of 0: a group of zeros has no scale."""
    return values.reciprocal().masked_fill_(values == 0, 0)


def by_block(levels: Tensor) -> Tensor:
    return levels.to(torch.uint8).T.reshape(-1, SUPER)


def as_fp16(scales: Tensor) -> Tensor:
    result = scales.half()
    if not result.isfinite().all():
        raise OverflowError("values are too large for scales in fp16")
    return result


def as_bytes(column: Tensor) -> Tensor:
    return column.contiguous().view(torch.uint8)


RANGES = {15: (-0.9, -0.5, -0.1, 0.2, 0.5, 0.8), 31: (-0.4, -0.1, 0.2, 0.5, 0.8)}
"""How many levels more or less than there are the group's range is divided into, by the highest level."""
WRITERS: dict[int, Callable[[Tensor], Tensor]] = {Q4_K: pack_q4, Q5_K: pack_q5, Q6_K: pack_q6}
