"""What a device trains in, why, and what a resumed training keeps."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import tiny
import torch

from temper_trainer.errors import TrainerError
from temper_trainer.job.events import Metrics
from temper_trainer.job.job import read_job
from temper_trainer.training.device import Environment, choose_environment, resolve
from temper_trainer.training.precision import ask_torch, devices, fast_types

ROOT = Path(__file__).parents[1]
PLAIN = {"cpu": None, "cuda": None, "mps": None}


def cuda(arch: str, bf16: bool) -> dict:
    return {"name": "a GPU", "arch": arch, "bf16": bf16, "memory": 8e9, "count": 1}


TABLE = [
    (PLAIN, "cpu", "fp32", "this CPU has no bf16 instructions"),
    (PLAIN | {"cpu": "AMX"}, "cpu", "bf16", "this CPU has AMX"),
    (PLAIN | {"cpu": "AVX512_BF16"}, "cpu", "bf16", "this CPU has AVX512_BF16"),
    (PLAIN | {"cpu": "Arm BF16"}, "cpu", "bf16", "this CPU has Arm BF16"),
    (PLAIN | {"cuda": cuda("sm_90", True)}, "cuda", "bf16", "this GPU (sm_90) computes bf16"),
    (PLAIN | {"cuda": cuda("sm_75", False)}, "cuda", "fp16", "this GPU (sm_75) has no bf16"),
    (PLAIN | {"mps": {"bf16": True}, "cpu": None}, "mps", "bf16", "this Apple GPU computes bf16"),
    (PLAIN | {"mps": {"bf16": False}}, "mps", "fp32", "bf16 on an Apple GPU needs macOS 14"),
    (PLAIN | {"cpu": "AMX", "cuda": cuda("sm_80", True)}, "cuda", "bf16", "this GPU (sm_80) computes bf16"),
]


@pytest.fixture
def job(tiny_llama, tmp_path):
    """A job that leaves both to the trainer, with the given changes."""

    def make(**train):
        folder = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        changes = {"device": "auto", "dtype": "auto"} | train
        return read_job(tiny.make_job(folder, tiny.folder_base(tiny_llama), tiny.home_rows(4), train=changes))

    return make


@pytest.mark.parametrize(("facts", "device", "dtype", "why"), TABLE)
def test_auto_takes_the_fast_type_of_the_fastest_device(job, facts, device, dtype, why):
    found = resolve(job(), fast_types(facts))
    assert (found.device, found.dtype, found.why) == (device, dtype, why)


def test_a_device_that_is_asked_for_gets_its_own_type(job):
    types = fast_types(PLAIN | {"cuda": cuda("sm_90", True)})
    assert list(types) == ["cuda", "cpu"]
    found = resolve(job(device="cpu"), types)
    assert (found.device, found.dtype) == ("cpu", "fp32")
    found = resolve(job(dtype="fp16"), types)
    assert (found.device, found.dtype, found.why) == ("cuda", "fp16", "set in train.dtype")


@pytest.mark.parametrize(
    ("facts", "train", "message"),
    [
        (PLAIN, {"device": "cuda"}, 'Cannot use train.device "cuda": PyTorch finds no such device here'),
        (PLAIN | {"mps": {"bf16": True}}, {"dtype": "fp16"}, 'Cannot use train.dtype "fp16" on mps: scaling the loss'),
        (PLAIN | {"mps": {"bf16": False}}, {"dtype": "bf16"}, 'Cannot use train.dtype "bf16" on mps: .* macOS 14'),
    ],
)
def test_what_a_device_cannot_do_is_refused(job, facts, train, message):
    with pytest.raises(TrainerError, match=message) as refused:
        resolve(job(**train), fast_types(facts))
    assert refused.value.hint.startswith("Set train.d")


def test_this_machine_is_asked_as_its_kernel_says():
    """Of what PyTorch says here, as far as Linux says it too."""
    path = Path("/proc/cpuinfo")
    if not path.exists() or sys.platform != "linux":
        pytest.skip("no /proc/cpuinfo")
    flags = path.read_text().split()
    known = {"amx_tile": "AMX", "avx512_bf16": "AVX512_BF16"}
    expected = next((name for flag, name in known.items() if flag in flags), None)
    if "Features" not in flags:
        assert ask_torch()["cpu"] == expected
    product = torch.ones(8, 8, dtype=torch.bfloat16)
    assert ((product @ product) == 8).all()


def test_devices_prints_what_a_training_repeats():
    command = [sys.executable, "-m", "temper_trainer", "devices"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == json.loads(json.dumps(devices()))
    alone = "import json, sys\nexec(sys.stdin.read())\nprint(json.dumps(devices()))"
    text = (ROOT / "temper_trainer" / "training" / "precision.py").read_text()
    done = subprocess.run([sys.executable, "-c", alone], input=text, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(printed)


def begun(path: Path, dtype: str, **changes) -> Environment:
    """What the first attempt left."""
    environment = replace(Environment(torch.__version__.split("+")[0], "cpu", dtype, 1), **changes)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(environment)))
    return environment


def test_a_resumed_training_keeps_the_type_it_began_in(job, tmp_path):
    """Also one that an earlier version began, which took fp32 on every CPU and did not say why."""
    path, metrics = tmp_path / "checkpoints" / "environment.json", Metrics(tmp_path / "metrics.jsonl")
    threads = torch.get_num_threads()
    try:
        for dtype in ("fp32", "bf16"):
            before = begun(path, dtype)
            values = {name: value for name, value in asdict(before).items() if name != "why"}
            path.write_text(json.dumps(values))
            found = choose_environment(job(), path, metrics)
            assert (found.device, found.dtype, found.threads) == ("cpu", dtype, 1)
            assert found.why == "the training began in it"
            assert json.loads(path.read_text()) == values
    finally:
        torch.set_num_threads(threads)


def test_a_resumed_training_does_not_change_its_type(job, tmp_path):
    path = tmp_path / "checkpoints" / "environment.json"
    begun(path, "fp32")
    with pytest.raises(TrainerError, match=r"training started on cpu in fp32, .* offers cpu in bf16"):
        choose_environment(job(device="cpu", dtype="bf16"), path, Metrics(tmp_path / "metrics.jsonl"))


def test_a_training_whose_device_has_gone_is_refused(job, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    path = tmp_path / "checkpoints" / "environment.json"
    begun(path, "fp16", device="cuda")
    with pytest.raises(TrainerError, match="training started on cuda in fp16"):
        choose_environment(job(), path, Metrics(tmp_path / "metrics.jsonl"))


GROWING = """
from temper_trainer.__main__ import forget_old_kernels
forget_old_kernels()
import torch
from temper_trainer.training.memory import resident_bytes
weight = torch.randn(960, 576).bfloat16()
for rows in range(100, 340):
    inputs = torch.randn(rows, 576).bfloat16()
    outputs = torch.nn.functional.linear(inputs, weight)
    outputs @ weight
    outputs.T @ inputs
    if rows == 130:
        before = resident_bytes()
print((resident_bytes() - before) / 1e6)
"""


def test_bf16_on_a_cpu_does_not_keep_memory_for_each_size_of_a_step():
    """With oneDNN's and PyTorch's own limits it grew by 600 MB."""
    done = subprocess.run([sys.executable, "-c", GROWING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 150
