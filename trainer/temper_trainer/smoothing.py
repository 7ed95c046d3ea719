"""The loss as a person reads it: single steps jump."""

from dataclasses import dataclass

KEPT = 0.9
"""How much a loss counts beside the one that comes next."""


@dataclass
class Smoothed:
    """
    The weighted mean of all losses so far: the exponential average, divided by 1 - KEPT ** count. An average that
    starts from the first loss counts it ten times as much as the others.
    """

    mean: float | None = None
    count: int = 0

    def add(self, loss: float) -> None:
        self.count += 1
        # This way of writing it makes the mean of equal numbers that very number, bit for bit
        share = (1 - KEPT) / (1 - KEPT**self.count)
        self.mean = loss if self.mean is None else self.mean + share * (loss - self.mean)
