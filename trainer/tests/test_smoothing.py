"""The smoothed loss: a mean, from the first step on."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.training.loop import SMOOTHING, Smoothed, State

losses = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


def smoothed(values: list[float], start: Smoothed | None = None) -> Smoothed:
    result = start or Smoothed()
    for value in values:
        result.add(value)
    return result


@given(loss=st.floats(-1e300, 1e300), steps=st.integers(1, 500))
def test_smoothed_of_equal_losses_is_that_loss(loss, steps):
    found = Smoothed()
    for _ in range(steps):
        found.add(loss)
        assert found.mean == loss


@given(losses)
def test_smoothed_is_the_exponential_average_without_its_bias(values):
    average = 0.0
    found = Smoothed()
    for step, value in enumerate(values, 1):
        average = 0.9 * average + 0.1 * value
        found.add(value)
        assert found.mean == pytest.approx(average / (1 - 0.9**step), rel=1e-9, abs=1e-9)


@given(losses)
def test_smoothed_is_a_weighted_mean(values):
    weights = [SMOOTHING ** (len(values) - 1 - i) for i in range(len(values))]
    mean = sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
    assert smoothed(values).mean == pytest.approx(mean, rel=1e-9, abs=1e-9)


@given(losses, st.data())
def test_smoothed_goes_on_from_a_checkpoint_with_the_same_numbers(values, data):
    """Bit for bit: what a checkpoint keeps is JSON."""
    cut = data.draw(st.integers(0, len(values)))
    state = State(step=cut, smoothed=smoothed(values[:cut]))
    kept = State.kept(json.loads(json.dumps(asdict(state))))
    assert kept == state
    assert smoothed(values[cut:], kept.smoothed) == smoothed(values)


def test_smoothed_starts_anew_after_a_checkpoint_that_was_not_corrected():
    state = State.kept({"step": 12, "tokens": 9, "supervised": 4, "smoothed": 1.54, "seconds": 2.0})
    assert (state.step, state.smoothed) == (12, Smoothed())
    assert smoothed([0.25], state.smoothed).mean == 0.25
