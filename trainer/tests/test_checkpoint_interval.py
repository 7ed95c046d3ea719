"""How often checkpoints are written, by a clock that goes as the test says."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.training.checkpoint_interval import CheckpointInterval


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def saves(
    interval: CheckpointInterval, clock: Clock, steps: list[float], durations: list[float]
) -> list[tuple[float, float]]:
    """Start and end of each save while steps of these durations are made."""
    found = []
    for seconds in steps:
        clock.now += seconds
        if interval.due():
            start = clock.now
            with interval.saving():
                clock.now += durations[len(found) % len(durations)]
            found.append((start, clock.now))
    return found


@given(
    least=st.floats(0.01, 100),
    steps=st.lists(st.floats(0.01, 50), min_size=50, max_size=200),
    durations=st.lists(st.floats(0, 30), min_size=1, max_size=10),
)
def test_saving_takes_a_twentieth_of_the_time_at_most(least, steps, durations):
    clock = Clock()
    interval = CheckpointInterval(least, clock)
    found = saves(interval, clock, steps, durations)
    for (start, end), (following, _) in pairwise(found):
        assert end - start <= 0.05 * (following - start) * (1 + 1e-9)
        assert following - end >= least * (1 - 1e-9)


@given(least=st.floats(1, 100), took=st.floats(0, 5), steps=st.integers(20, 400))
def test_checkpoints_come_as_often_as_asked_where_saving_is_fast(least, took, steps):
    took = min(took, least / 20)
    clock = Clock()
    interval = CheckpointInterval(least, clock)
    found = saves(interval, clock, [least / 4 + 1e-6] * steps, [took])
    assert len(found) == steps // 4
    assert interval.interval == pytest.approx(least)
    assert interval.news() is None


def test_interval_says_what_a_kill_can_cost_and_says_it_again_when_that_doubles():
    clock = Clock()
    interval = CheckpointInterval(60, clock)
    said = []
    for took in (1, 3, 4, 5, 20, 2, 20, 50):
        with interval.saving():
            clock.now += took
        said.append(interval.news())
    assert [took for took, news in zip((1, 3, 4, 5, 20, 2, 20, 50), said, strict=True) if news] == [4, 20, 50]
    assert said[2] == (
        "Saving a checkpoint took 4.0 s, so the next one is written after 76 s instead of 60 s, and saving takes "
        "at most 5% of the time: a kill can cost that much work"
    )


def test_interval_does_not_speak_of_a_few_seconds():
    clock = Clock()
    interval = CheckpointInterval(1, clock)
    with interval.saving():
        clock.now += 0.5
    assert interval.interval == pytest.approx(9.5)
    assert interval.news() is None
