"""fp16's loss scaler: PyTorch's algorithm, and trainings whose steps overflow."""

import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_train import METHODS, OFTEN, cache, events, make, numbers, result, start, timeless, wait_for

from temper_trainer.training import loss_scale
from temper_trainer.training.loss_scale import LossScale

__all__ = ["cache", "make"]
"""Fixtures."""
FIRST = """
from temper_trainer.training import loss_scale
loss_scale.FIRST = 2.0 ** {}
"""
# A scale that no gradient of a tiny model outgrows, and one that most do
SMALL, LARGE = FIRST.format(10), FIRST.format(26)


@given(st.lists(st.booleans(), max_size=40), st.sampled_from([2, 3, 5]))
def test_loss_scale_moves_as_pytorchs_does(finite, interval):
    theirs = torch.amp.GradScaler("cpu", growth_interval=interval)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    ours, kept = LossScale.of(torch.float16), loss_scale.GROWTH_INTERVAL
    loss_scale.GROWTH_INTERVAL = interval
    try:
        for good in finite:
            loss = weight.sum() * (1 if good else torch.inf)
            theirs.scale(loss).backward()
            gradient = weight.grad.clone()
            theirs.unscale_(optimizer)
            theirs.step(optimizer)
            theirs.update()
            ours.unscale(gradient)
            assert torch.equal(gradient, weight.grad) or not good
            assert ours.skips(good) is not good
            assert ours.scale == theirs.get_scale()
            optimizer.zero_grad()
    finally:
        loss_scale.GROWTH_INTERVAL = kept
    assert ours.skipped == finite.count(False)


def test_loss_scale_leaves_fp32_and_bf16_alone():
    loss, gradient = torch.tensor(3.0), torch.tensor([np.inf, 1.0])
    for dtype in (torch.float32, torch.bfloat16):
        scale = LossScale.of(dtype)
        assert scale.scaled(loss) is loss
        scale.unscale(gradient)
        assert gradient.tolist() == [np.inf, 1.0]
        assert scale.skips(False) is False
        assert scale.as_json() == {}


def test_loss_scale_does_not_hide_a_gradient_that_is_never_finite():
    scale = LossScale.of(torch.float16)
    assert [scale.skips(False) for _ in range(18)] == [True] * 16 + [False] * 2
    assert (scale.scale, scale.skipped) == (1, 16)


FP16 = {"train": {"dtype": "fp16", "epochs": 3, "checkpoint_seconds": 0.01}}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_train_in_fp16_learns_as_in_fp32(make, cache, tmp_path, method):
    """The losses of a whole training, within what 11 bits round."""
    losses = {}
    for dtype in ("fp32", "fp16"):
        changes = {"method": METHODS[method], "train": FP16["train"] | {"dtype": dtype, "max_steps": 9}}
        job_dir = make(tmp_path / dtype, **changes)
        assert start(job_dir, cache, SMALL).wait() == 0
        losses[dtype] = [values[0] for _, values in sorted(numbers(job_dir).items())]
        assert result(job_dir)["environment"]["dtype"] == dtype
    assert result(tmp_path / "fp16")["skipped_steps"] == 0
    assert "skipped_steps" not in result(tmp_path / "fp32")
    assert losses["fp16"] != losses["fp32"]
    assert losses["fp16"] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses["fp32"][-1] < losses["fp32"][0]


def test_train_in_fp16_counts_skipped_steps_and_resumes_with_the_same_weights(make, cache, tmp_path):
    whole = make(tmp_path / "whole", **FP16)
    assert start(whole, cache, LARGE).wait() == 0
    skipped = result(whole)["skipped_steps"]
    assert 0 < skipped < result(whole)["steps"]
    steps = [event for event in events(whole) if event["type"] == "train"]
    left_out = [event["grad_norm"] is None for event in steps]
    assert left_out[0]
    assert np.cumsum(left_out).tolist() == [event["skipped"] for event in steps]
    assert [event["loss_scale"] for event in steps] == [2.0 ** (26 - event["skipped"]) for event in steps]
    (warning,) = [e["message"] for e in events(whole) if e["type"] == "warning" and "changed no weight" in e["message"]]
    assert warning.startswith("Step 1 changed no weight: its gradient did not fit into fp16")

    # Killed while the scale is falling, and once it holds
    killed = make(tmp_path / "killed", **FP16)
    for moment in (2, 14):
        process = start(killed, cache, LARGE + OFTEN)
        wait_for(process, killed, lambda e, moment=moment: e["type"] == "checkpoint" and e["step"] >= moment)
        os.kill(int((killed / "lock").read_text()), signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    # Not with the scale that a new training starts from: the checkpoint's counts
    assert start(killed, cache, LARGE).wait() == 0
    assert timeless(killed) == timeless(whole)
    assert numbers(killed) == numbers(whole)
    assert sum(event["type"] == "resumed" for event in events(killed)) == 2
