"""Tensors in pieces, so that converting a large one needs little room."""

from collections.abc import Iterator
from math import prod

PIECE = 1 << 24
"""Values that are in memory at once: 64 MB in fp32. Vocabularies of large models take gigabytes."""


def row_groups(shape: tuple[int, ...]) -> Iterator[slice]:
    """Groups of rows of at most PIECE values, or one row; a vector is one piece."""
    if len(shape) < 2:
        yield slice(None)
        return
    step = max(1, PIECE // max(1, prod(shape[1:])))
    for start in range(0, shape[0], step):
        yield slice(start, min(shape[0], start + step))
