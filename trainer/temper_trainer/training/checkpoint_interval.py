"""How often a checkpoint is written: as often as was asked for, unless that would cost too much."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 0.05
"""The most of the time that saving may take."""
WORTH_SAYING = 10.0
"""Seconds of work whose loss does not matter."""


class CheckpointInterval:
    """`least`: seconds from one checkpoint to the next, or more where saving is slow."""

    def __init__(self, least: float, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.least = least
        self.interval = least
        self.took = 0.0
        self.said = max(least, WORTH_SAYING)
        self.saved = clock()

    def due(self) -> bool:
        return self.clock() - self.saved >= self.interval

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Measures a save, and puts the next one off until this one was SHARE of the time."""
        start = self.clock()
        yield
        self.saved = self.clock()
        self.took = self.saved - start
        self.interval = max(self.least, self.took * (1 - SHARE) / SHARE)

    def news(self) -> str | None:
        """What a person should know: a kill now costs more than was asked for, or twice what was said before."""
        if self.interval <= self.said:
            return None
        self.said = 2 * self.interval
        return (
            f"Saving a checkpoint took {self.took:.1f} s, so the next one is written after {self.interval:.0f} s "
            f"instead of {self.least:g} s, and saving takes at most {SHARE:.0%} of the time: "
            "a kill can cost that much work"
        )
