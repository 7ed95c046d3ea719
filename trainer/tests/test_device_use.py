"""What is recorded beside the loss: the norm of the gradient, and what the machine does."""

import json
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from test_train import cache, events, make, start, timeless

from temper_trainer.training import device_use
from temper_trainer.training.device_use import DeviceUse, cpu_temperature, cpu_use, gpu_use

__all__ = ["cache", "make"]
"""Fixtures."""
WATCHED = """
import json
from temper_trainer.training import device_use
from temper_trainer.training.optim import FlatParameters
device_use.FIRST = device_use.INTERVAL = 0.01
clip = FlatParameters.clip
def told(flat, most):
    squares = sum(float(parameter.grad.double().pow(2).sum()) for parameter in flat.named.values())
    with open("{path}", "a") as file:
        file.write(json.dumps(squares ** 0.5) + "\\n")
    return clip(flat, most)
FlatParameters.clip = told
"""


def test_train_records_the_norm_of_the_gradient_and_the_use_of_the_machine(make, cache, tmp_path):
    """And trains the same weights as a training that is hardly looked at."""
    watched, plain = (
        make(tmp_path / name, train={"max_grad_norm": 0.01, "epochs": 4}, evaluate={"before": False})
        for name in ("watched", "plain")
    )
    norms = tmp_path / "norms"
    assert start(watched, cache, WATCHED.format(path=norms)).wait() == 0
    assert start(plain, cache).wait() == 0
    found = events(watched)
    steps = {event["step"]: event for event in found if event["type"] == "train"}
    apart = [json.loads(line) for line in norms.read_text().splitlines()]
    recorded = [event["grad_norm"] for event in steps.values()]
    assert recorded == pytest.approx(apart, rel=1e-5)
    assert min(recorded) > 0.01, "the norm is that before the gradient is scaled down"
    samples = [event for event in found if event["type"] == "device"]
    assert samples
    for sample in samples:
        assert 0 <= sample["cpu"] <= 100
        step = steps[sample["step"]]
        assert [sample[name] for name in ("epoch", "tokens")] == [step[name] for name in ("epoch", "tokens")]
    assert timeless(watched) == timeless(plain)


def test_a_sample_is_given_out_once(monkeypatch):
    monkeypatch.setattr(device_use, "FIRST", 0.001)
    monkeypatch.setattr(device_use, "INTERVAL", 999)
    with DeviceUse(torch.device("cpu")) as use:
        sample = None
        while sample is None:
            sample = use.taken()
        assert "cpu" in sample
        assert use.taken() is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("93, 61, 40213", {"gpu": 93.0, "gpu_temperature": 61.0, "gpu_memory": 40213 * 2**20}),
        # Parts of a divided GPU do not tell their use
        ("[N/A], 61, [N/A]", {"gpu_temperature": 61.0}),
        ("No devices were found", {}),
    ],
)
def test_gpu_use_takes_what_the_driver_tells(tmp_path: Path, said, expected):
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho "{said}"\n')
    program.chmod(0o755)
    assert gpu_use("GPU-1234", str(program)) == expected
    asked = (tmp_path / "asked").read_text().split()
    assert "--id=GPU-1234" in asked
    assert "--query-gpu=utilization.gpu,temperature.gpu,memory.used" in asked
    program.write_text("#!/bin/sh\nexit 9\n")
    assert gpu_use("GPU-1234", str(program)) == {}
    assert gpu_use("GPU-1234", str(tmp_path / "missing")) == {}


@pytest.mark.parametrize("error", [OSError, ValueError, psutil.AccessDenied, RuntimeError])
def test_what_psutil_raises_costs_no_more_than_its_own_reading(monkeypatch, error):
    def fail(*_):
        raise error("unreadable")

    readings = [SimpleNamespace(current=41.0)]
    monkeypatch.setattr(psutil, "cpu_percent", fail)
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: {"coretemp": readings}, raising=False)
    assert cpu_use() | cpu_temperature() == {"cpu_temperature": 41.0}
    monkeypatch.undo()
    monkeypatch.setattr(psutil, "sensors_temperatures", fail, raising=False)
    assert (cpu_use() | cpu_temperature()).keys() == {"cpu"}


def test_cpu_temperature_is_that_of_the_warmest_part_of_the_processor(monkeypatch):
    readings = [SimpleNamespace(current=degrees) for degrees in (41.0, 57.0)]
    sensors = {"coretemp": readings, "nvme": [SimpleNamespace(current=80.0)]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    assert cpu_temperature() == {"cpu_temperature": 57.0}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: {}, raising=False)
    assert cpu_temperature() == {}
