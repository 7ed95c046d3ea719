"""Checkpoints, the event log, the optimiser and failures: the small parts a resumed training stands on."""

import errno
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from temper_trainer.checkpoint import Checkpoint, Checkpoints
from temper_trainer.errors import TrainerError
from temper_trainer.events import Metrics
from temper_trainer.failures import explain
from temper_trainer.job import Train
from temper_trainer.optim import FlatParameters, learning_rate, make_optimizer
from temper_trainer.random_state import RandomState


def settings(**changes) -> Train:
    fields = {
        "epochs": 1.0,
        "learning_rate": 0.1,
        "batch_size": 4,
        "micro_tokens": 64,
        "max_length": 64,
        "max_steps": None,
        "warmup_ratio": 0.1,
        "schedule": "cosine",
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "seed": 1,
        "checkpoint_seconds": 60.0,
        "device": "cpu",
        "dtype": "fp32",
    }
    return Train(**(fields | changes))


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"parameters": torch.full((3,), float(step))}, {"state": {"step": step}})


def test_checkpoints_keep_the_newest_two(tmp_path):
    store = Checkpoints(tmp_path / "checkpoints", "job")
    for step in (2, 9, 10, 10):
        store.save(checkpoint(step))
    assert sorted(path.name for path in store.folder.iterdir()) == ["step-10", "step-9"]
    loaded = store.load(Metrics(tmp_path / "metrics.jsonl"))
    assert loaded.step == 10
    assert loaded.tensors["parameters"].tolist() == [10, 10, 10]


@pytest.mark.parametrize("name", ["state.safetensors", "state.json", "digests.json"])
@pytest.mark.parametrize("harm", ["cut", "delete", "flip"])
def test_checkpoints_pass_over_a_damaged_one(tmp_path, name, harm):
    store = Checkpoints(tmp_path / "checkpoints", "job")
    store.save(checkpoint(1))
    store.save(checkpoint(2))
    path = store.folder / "step-2" / name
    data = path.read_bytes()
    if harm == "delete":
        path.unlink()
    else:
        path.write_bytes(data[:-3] if harm == "cut" else data[:-6] + bytes([data[-6] ^ 1]) + data[-5:])
    assert store.load(Metrics(tmp_path / "metrics.jsonl")).step == 1
    (warning,) = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert (warning["type"], 'checkpoint "step-2"' in warning["message"]) == ("warning", True)


def test_checkpoints_refuse_those_of_another_job(tmp_path):
    Checkpoints(tmp_path / "checkpoints", "job").save(checkpoint(1))
    with pytest.raises(TrainerError, match="belongs to other settings or data"):
        Checkpoints(tmp_path / "checkpoints", "other").load(Metrics(tmp_path / "metrics.jsonl"))


@given(cut=st.integers(0, 200))
def test_metrics_go_on_after_a_torn_line(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("metrics") / "metrics.jsonl"
    first = Metrics(path)
    for step in range(3):
        first.write("checkpoint", step=step)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    second = Metrics(path)
    second.write("resumed", step=9)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["type"] for line in lines] == ["checkpoint"] * kept + ["resumed"]
    assert lines[-1]["attempt"] == (2 if kept else 1)


def test_flat_parameters_train_as_separate_ones_do():
    torch.manual_seed(0)
    start = {"b": torch.randn(3, 2), "a": torch.randn(4)}
    ours = {name: torch.nn.Parameter(tensor.clone()) for name, tensor in start.items()}
    usual = {name: torch.nn.Parameter(tensor.clone()) for name, tensor in start.items()}
    flat = FlatParameters(ours)
    optimizer = make_optimizer(flat, settings())
    reference = torch.optim.AdamW(usual.values(), lr=0.1, weight_decay=0.01)
    for _ in range(3):
        flat.gradient.zero_()
        reference.zero_grad()
        for parameters in (ours, usual):
            sum((parameter**2).sum() for parameter in parameters.values()).backward()
        norm = torch.nn.utils.clip_grad_norm_(usual.values(), 1.0)
        assert flat.clip(1.0) == pytest.approx(norm.item(), rel=1e-5)
        optimizer.step()
        reference.step()
    for name, parameter in ours.items():
        torch.testing.assert_close(parameter, usual[name])
        assert not torch.equal(parameter, start[name])


@given(steps=st.integers(1, 500), warmup=st.floats(0, 1), schedule=st.sampled_from(["cosine", "linear", "constant"]))
def test_learning_rate_rises_to_its_peak_and_falls(steps, warmup, schedule):
    train = settings(warmup_ratio=warmup, schedule=schedule)
    rates = [learning_rate(train, step, steps) for step in range(steps)]
    rising = math.ceil(warmup * steps)
    assert all(0 < rate <= 0.1 + 1e-12 for rate in rates)
    assert rates[:rising] == sorted(rates[:rising])
    assert rates[rising:] == sorted(rates[rising:], reverse=True)
    assert max(rates) == pytest.approx(0.1)


def test_random_state_goes_on_where_it_was_saved(tmp_path):
    random = RandomState(4, "cpu")
    random.dropout_mask(torch.Size((7, 3)), 0.5)
    save_file(random.tensors(), tmp_path / "state.safetensors")
    numbers = json.loads(json.dumps(random.numbers()))
    expected = [torch.rand(3), *(random.dropout_mask(torch.Size((5, 9)), 0.5)[0] for _ in range(2))]
    tensors = random.tensors()
    other = RandomState(5, "cpu")
    assert not torch.equal(other.dropout_mask(torch.Size((5, 9)), 0.5)[0], expected[1])
    from safetensors.torch import load_file

    other.restore(load_file(tmp_path / "state.safetensors"), numbers)
    found = [torch.rand(3), *(other.dropout_mask(torch.Size((5, 9)), 0.5)[0] for _ in range(2))]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(tensors.values(), other.tensors().values(), strict=True))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "disk_full"),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), "disk_full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "not_writable"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (ZeroDivisionError("division by zero"), "unexpected"),
        (TrainerError("locked", "x", exit_code=3), "locked"),
    ],
)
def test_explain_finds_the_sentence(error, code):
    assert explain(error).code == code


def test_dropout_masks_differ_from_call_to_call():
    random = RandomState(1, "cpu")
    first, second = (random.dropout_mask(torch.Size((64, 64)), 0.5)[0] for _ in range(2))
    assert np.corrcoef(first.flatten(), second.flatten())[0, 1] == pytest.approx(0, abs=0.08)
