"""Checkpoints, the event log, the optimiser and failures: the small parts a resumed training stands on."""

import errno
import io
import json
import math
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import save_file

from temper_trainer.errors import TrainerError
from temper_trainer.job.events import Metrics
from temper_trainer.job.failures import explain
from temper_trainer.job.settings import Train
from temper_trainer.training.checkpoint import Checkpoint, Checkpoints
from temper_trainer.training.optim import FlatParameters, learning_rate, make_optimizer
from temper_trainer.training.random_state import RandomState


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


def warnings(tmp_path) -> list[str]:
    path = tmp_path / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["message"] for line in lines if line["type"] == "warning"]


def bytes_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def harm_file(path, harm: str) -> None:
    data = path.read_bytes()
    if harm == "delete":
        path.unlink()
    else:
        path.write_bytes(data[:-3] if harm == "cut" else data[:-6] + bytes([data[-6] ^ 1]) + data[-5:])


@pytest.mark.parametrize("name", ["state.safetensors", "state.json", "digests.json"])
@pytest.mark.parametrize("harm", ["cut", "delete", "flip"])
def test_checkpoints_set_a_damaged_one_aside(tmp_path, name, harm):
    folder = tmp_path / "checkpoints"
    for step in (1, 2):
        Checkpoints(folder, "job").save(checkpoint(step))
    harm_file(folder / "step-2" / name, harm)
    left = bytes_of(folder / "step-2")
    store = Checkpoints(folder, "job")
    assert store.load(Metrics(tmp_path / "metrics.jsonl")).step == 1
    (warning,) = warnings(tmp_path)
    assert 'checkpoint "step-2"' in warning
    assert 'kept as "step-2.damaged", going on from "step-1"' in warning
    for step in (2, 3, 4):
        store.save(checkpoint(step))
    assert sorted(path.name for path in folder.iterdir()) == ["step-2.damaged", "step-3", "step-4"]
    assert bytes_of(folder / "step-2.damaged") == left


def test_checkpoints_never_write_over_what_was_set_aside(tmp_path):
    folder = tmp_path / "checkpoints"
    found = []
    for _ in range(3):
        Checkpoints(folder, "job").save(checkpoint(1))
        harm_file(folder / "step-1" / "state.safetensors", "flip")
        assert Checkpoints(folder, "job").load(Metrics(tmp_path / "metrics.jsonl")) is None
        found.append(warnings(tmp_path)[-1])
    assert sorted(path.name for path in folder.iterdir()) == [f"step-1.damaged{end}" for end in ("", "-2", "-3")]
    assert found[2].endswith('it is kept as "step-1.damaged-3", training from the start')


def test_checkpoints_keep_the_newest_two_that_are_good(tmp_path):
    """After a damaged one the older one stays until there are two good ones again."""
    folder = tmp_path / "checkpoints"
    for step in (1, 2):
        Checkpoints(folder, "job").save(checkpoint(step))
    harm_file(folder / "step-2" / "state.json", "cut")
    store = Checkpoints(folder, "job")
    store.load(Metrics(tmp_path / "metrics.jsonl"))
    store.save(checkpoint(3))
    assert sorted(path.name for path in folder.iterdir()) == ["step-1", "step-2.damaged", "step-3"]


def test_checkpoints_of_another_job_are_set_aside(tmp_path):
    folder = tmp_path / "checkpoints"
    for step in (1, 2):
        Checkpoints(folder, "job").save(checkpoint(step))
    store = Checkpoints(folder, "other")
    assert store.load(Metrics(tmp_path / "metrics.jsonl")) is None
    assert sorted(path.name for path in folder.iterdir()) == ["step-1.other-job", "step-2.other-job"]
    assert all("belongs to other settings or data" in warning for warning in warnings(tmp_path))
    store.save(checkpoint(1))
    assert Checkpoints(folder, "other").load(Metrics(tmp_path / "metrics.jsonl")).step == 1


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
@pytest.mark.parametrize("name", ["state.safetensors", "state.json", "digests.json"])
def test_checkpoints_that_cannot_be_read_stay_and_end_the_attempt(tmp_path, monkeypatch, name, code):
    """The system is made to refuse: root may read everything."""
    folder = tmp_path / "checkpoints"
    for step in (1, 2):
        Checkpoints(folder, "job").save(checkpoint(step))
    refused = folder / "step-2" / name

    def refuse(path, *args, **kwargs):
        if str(path) == str(refused):
            raise OSError(code, os.strerror(code), str(path))
        return io_open(path, *args, **kwargs)

    io_open = io.open
    with monkeypatch.context() as patch:
        patch.setattr("io.open", refuse)
        patch.setattr("builtins.open", refuse)
        with pytest.raises(TrainerError, match=f'Cannot read "{folder}/step-2": {os.strerror(code)}') as raised:
            Checkpoints(folder, "job").load(Metrics(tmp_path / "metrics.jsonl"))
    assert raised.value.exit_code == 1
    assert sorted(path.name for path in folder.iterdir()) == ["step-1", "step-2"]
    assert Checkpoints(folder, "job").load(Metrics(tmp_path / "metrics.jsonl")).step == 2


def test_a_folder_of_checkpoints_that_cannot_be_listed_is_not_an_empty_one(tmp_path, monkeypatch):
    store = Checkpoints(tmp_path / "checkpoints", "job")
    store.save(checkpoint(1))

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        for name in ("listdir", "scandir"):
            patch.setattr(os, name, refuse)
        with pytest.raises(TrainerError, match="Permission denied"):
            store.load(Metrics(tmp_path / "metrics.jsonl"))
    assert store.load(Metrics(tmp_path / "metrics.jsonl")).step == 1


def test_a_checkpoint_whose_tensors_cannot_be_loaded_stays(tmp_path, monkeypatch):
    """Every byte is as it was written, so it is no damage."""
    store = Checkpoints(tmp_path / "checkpoints", "job")
    store.save(checkpoint(1))

    def refuse(path):
        raise SafetensorError("I/O error: Input/output error (os error 5)")

    monkeypatch.setattr("temper_trainer.training.checkpoint.load_file", refuse)
    with pytest.raises(TrainerError, match=r"os error 5\); it was left as it is"):
        store.load(Metrics(tmp_path / "metrics.jsonl"))
    assert [path.name for path in store.folder.iterdir()] == ["step-1"]


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
    optimizer = make_optimizer(flat, settings(), torch.nn.Module())
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


@pytest.mark.parametrize("padding", [0, 5])
def test_a_row_draws_the_same_masks_beside_any_others(padding):
    """Packed or padded, at its place in any batch, layer after layer."""

    def masks(rows: list[int]) -> dict[int, list[np.ndarray]]:
        random = RandomState(1, "cpu")
        lengths = [10 - row for row in rows]
        random.begin(6, rows, lengths)
        width = max(lengths) if padding else 0
        starts = [index * width for index in range(len(rows))] if padding else np.cumsum([0, *lengths[:-1]])
        drawn = [random.dropout_mask(torch.Size((len(rows) * width or sum(lengths), 7)), 0.5)[0] for _ in range(2)]
        return {
            row: [mask[start : start + length].numpy() for mask in drawn]
            for row, start, length in zip(rows, starts, lengths, strict=True)
        }

    alone, together = [masks([row]) for row in range(3)], masks([2, 0, 1])
    for row in range(3):
        assert all(np.array_equal(a, b) for a, b in zip(alone[row][row], together[row], strict=True))
        assert not np.array_equal(*together[row])
    assert not np.array_equal(together[0][0][:8], together[2][0])
