"""Which rows, when, and which together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.training.batches import StepPlan, micro_batches


@given(rows=st.integers(1, 300), size=st.integers(1, 40), seed=st.integers(0, 9), epochs=st.integers(1, 3))
def test_step_plan_covers_every_row_once_per_epoch(rows, size, seed, epochs):
    plan = StepPlan(rows, size, epochs, None, seed)
    per_epoch = plan.steps // epochs
    assert plan.steps == per_epoch * epochs
    for epoch in range(epochs):
        seen = np.concatenate([plan.rows_of(epoch * per_epoch + step) for step in range(per_epoch)])
        assert sorted(seen) == list(range(rows))


@given(rows=st.integers(1, 300), size=st.integers(1, 40), epochs=st.floats(0.01, 5), limit=st.integers(1, 50))
def test_step_plan_honours_fractions_and_max_steps(rows, size, epochs, limit):
    steps = StepPlan(rows, size, epochs, None, 1).steps
    per_epoch = -(-rows // size)
    assert 1 <= steps <= epochs * per_epoch + 1
    assert steps >= min(1, epochs * per_epoch - 1e-6)
    assert StepPlan(rows, size, epochs, limit, 1).steps == min(steps, limit)


def test_step_plan_shuffles_each_epoch_anew_and_by_seed():
    def order(seed, epoch):
        return StepPlan(100, 100, 3, None, seed).rows_of(epoch).tolist()

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=60), limit=st.integers(1, 200))
def test_micro_batches_hold_every_row_once_within_the_limit(lengths, limit):
    batches = micro_batches(lengths, limit)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert sum(lengths[place] for place in batch) <= limit or len(batch) == 1
        inside = [lengths[place] for place in batch]
        assert inside == sorted(inside, reverse=True)


@given(lengths=st.lists(st.integers(1, 90), min_size=2, max_size=60))
def test_micro_batches_leave_no_two_half_empty(lengths):
    """First fit: any two batches together exceed the limit."""
    sums = sorted(sum(lengths[place] for place in batch) for batch in micro_batches(lengths, 200))
    assert len(sums) < 2 or sums[0] + sums[1] > 200
