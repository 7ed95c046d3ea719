"""Which rows each step trains on, and which of them are computed together. Depends on the seed and nothing else."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np


class StepPlan:
    """The rows of every optimiser step: a fresh permutation for each epoch, so a step number says where training is."""

    def __init__(self, rows: int, batch_size: int, epochs: float, max_steps: int | None, seed: int):
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.steps_per_epoch = math.ceil(rows / batch_size)
        steps = max(1, math.ceil(round(epochs * self.steps_per_epoch, 6)))
        self.steps = min(steps, max_steps or steps)

    def rows_of(self, step: int) -> np.ndarray:
        """Rows of a step counted from 0. The last step of an epoch may hold fewer."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return permutation(self.rows, self.seed, epoch)[place * self.batch_size :][: self.batch_size]

    def epoch_after(self, step: int) -> float:
        """Epochs done when `step` steps are."""
        return step / self.steps_per_epoch


@lru_cache(maxsize=2)
def permutation(rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(rows)


def micro_batches(lengths: Sequence[int], micro_tokens: int) -> list[list[int]]:
    """Places of rows to be computed together: at most `micro_tokens` tokens, unless one row alone has more.

    Longest first into the first batch with room, so that few batches are needed; a batch keeps rows of one length
    side by side.
    """
    batches: list[list[int]] = []
    free: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        length = int(lengths[place])
        found = next((i for i, room in enumerate(free) if room >= length), None)
        if found is None:
            batches.append([place])
            free.append(micro_tokens - length)
        else:
            batches[found].append(place)
            free[found] -= length
    return batches


def padded_batches(lengths: Sequence[int], micro_tokens: int) -> list[list[int]]:
    """Places of rows of like length together, longest first; a batch holds `micro_tokens` padded tokens or one row."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > micro_tokens:
            batches.append([])
        batches[-1].append(place)
    return batches
