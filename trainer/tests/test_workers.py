"""Several workers, as real processes that talk through gloo: the same losses as one, whatever happens to them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from starts import REAL_PYTHON, TRAINER_PYTHON

from temper_trainer.errors import TrainerError
from temper_trainer.job.job import read_job
from temper_trainer.job.run import run_prepare, run_train
from temper_trainer.job.stop import Stop
from temper_trainer.training import parallel
from temper_trainer.training.workers import Workers, from_environment, shares

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
PREFIX = {"kind": "prefix", "length": 6, "init_text": "Home: do:"}
METHODS = {
    "full": {"kind": "full"},
    "lora": {"dropout": 0},
    "qlora": {"kind": "qlora", **tiny.LOW_RANK, "dropout": 0},
    "prefix": {**PREFIX, "placement": "input"},
    "prefix layers": {**PREFIX, "placement": "layers"},
    "adapter": {"kind": "adapter", "size": 32},
}
TABLE = [(method, mode) for method in METHODS for mode in ("ddp", "fsdp")]
# Divided layers are not fused, and layers that are draw one mask for what they compute together
METHODS["lora with dropout"] = {"dropout": 0.2}
TABLE.append(("lora with dropout", "ddp"))
# 5, 5, 5 and 1 of 16 rows: in every fourth step a worker has none
TRAIN = {"batch_size": 5, "epochs": 2, "micro_tokens": 90, "learning_rate": 0.003}


def make(folder: Path, base: Path, cache: Path, **changes) -> Path:
    rows = tiny.home_rows(23)
    train = TRAIN | changes.pop("train", {})
    job_dir = tiny.make_job(folder, tiny.folder_base(base), rows[:16], rows[16:], train=train, **changes)
    assert run_prepare(job_dir, cache) == 0
    return job_dir


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def work(count: int, cache: Path, jobs: list[Path], at: dict | None = None) -> list[list[int]]:
    """So many workers do the jobs one after the other, and `at` one place something happens. Returns the exit codes of
    each worker."""
    task = {"cache": str(cache), "jobs": [{"port": free_port(), "folder": str(job), "at": at} for job in jobs]}
    command = [TRAINER_PYTHON, str(ROOT / "tests" / "worker.py"), json.dumps(task)]
    place = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    with open(jobs[0] / "trainer.log", "ab") as log:
        started = [
            subprocess.Popen(
                command,
                env=ENVIRONMENT | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=log,
            )
            for rank in range(count)
        ]
    outputs = [process.communicate(timeout=300)[0] for process in started]
    assert all(process.returncode == 0 for process in started), (jobs[0] / "trainer.log").read_text()
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def result(job_dir: Path) -> dict:
    return json.loads((job_dir / "result.json").read_text())


def events(job_dir: Path, kind: str) -> list[dict]:
    lines = [json.loads(line) for line in (job_dir / "metrics.jsonl").read_bytes().splitlines(keepends=True)]
    return [line for line in lines if line["type"] == kind]


def losses(job_dir: Path) -> np.ndarray:
    return np.array([event["loss"] for event in events(job_dir, "train")])


@pytest.fixture(scope="module")
def by_one(tmp_path_factory, tiny_llama, cache):
    """Each method, trained by one worker."""
    folder, found = tmp_path_factory.mktemp("one"), {}
    for method, fields in METHODS.items():
        found[method] = make(folder / method.replace(" ", "-"), tiny_llama, cache, method=fields)
        assert run_train(found[method], cache, Stop()) == 0
    return found


@pytest.fixture(scope="module")
def by_two(tmp_path_factory, tiny_llama, cache):
    """Each method in each mode, trained by two."""
    folder, found = tmp_path_factory.mktemp("two"), {}
    for method, mode in TABLE:
        name = f"{method}-{mode}".replace(" ", "-")
        # With layers computed again on the way back, after their weights have gone
        train = {"parallel": mode, "checkpointing": mode == "fsdp" and method in ("full", "lora")}
        found[method, mode] = make(folder / name, tiny_llama, cache, method=METHODS[method], train=train)
    assert work(2, cache, list(found.values())) == [[0] * len(found)] * 2
    return found


@pytest.mark.parametrize(("method", "mode"), TABLE)
def test_two_workers_have_the_losses_of_one(by_one, by_two, method, mode):
    one, two = by_one[method], by_two[method, mode]
    assert np.abs(losses(two) - losses(one)).max() <= 1e-5
    for name in ("steps", "tokens", "parameters"):
        assert result(two)[name] == result(one)[name]
    for name in ("before", "after"):
        found, expected = result(two)[name], result(one)[name]
        assert found["score"] == expected["score"]
        assert found["loss"] == pytest.approx(expected["loss"], abs=1e-5)
    environment = result(two)["environment"]
    assert (environment["workers"], environment["parallel"]) == (2, mode)
    assert len(result(two)["resources"]["workers"]) == 2


def test_two_workers_compute_layers_again(by_one, tiny_llama, cache, tmp_path):
    table = [("full", "fsdp"), ("lora", "fsdp"), ("lora with dropout", "ddp")]
    jobs = []
    for method, mode in table:
        train = {"parallel": mode, "checkpointing": True}
        folder = tmp_path / f"{method}-{mode}".replace(" ", "-")
        jobs.append(make(folder, tiny_llama, cache, method=METHODS[method], train=train))
    assert work(2, cache, jobs) == [[0] * len(jobs)] * 2
    for (method, _), job_dir in zip(table, jobs, strict=True):
        assert result(job_dir)["resources"]["checkpointing"] is True
        assert np.abs(losses(job_dir) - losses(by_one[method])).max() <= 1e-5


def weights(job_dir: Path) -> np.ndarray:
    (file,) = job_dir.glob("artifacts/*/*.safetensors")
    return np.concatenate([tensor.ravel() for _, tensor in sorted(load_file(file).items())])


def test_a_training_goes_on_with_another_number_of_workers_in_another_mode(by_one, tiny_llama, cache, tmp_path):
    """A signal at any worker ends all of them at the same step, with a checkpoint."""
    jobs = {method: make(tmp_path / method, tiny_llama, cache, method=METHODS[method]) for method in ("full", "lora")}
    for count, mode, step in ((2, "fsdp", 3), (1, "auto", 5), (2, "ddp", None)):
        for job_dir in jobs.values():
            job = json.loads((job_dir / "job.json").read_text())
            job["train"]["parallel"] = mode
            (job_dir / "job.json").write_text(json.dumps(job))
        at = step and {"rank": count - 1, "step": step, "do": "stop"}
        codes = work(count, cache, list(jobs.values()), at)
        assert codes == [[130 if step else 0] * len(jobs)] * count
        for job_dir in jobs.values():
            assert events(job_dir, "checkpoint")[-1]["step"] == step or step is None
    for method, job_dir in jobs.items():
        assert [event["step"] for event in events(job_dir, "resumed")] == [3, 5]
        assert [event["step"] for event in events(job_dir, "train")] == list(range(1, 9))
        assert np.abs(losses(job_dir) - losses(by_one[method])).max() <= 1e-5
        assert np.abs(weights(job_dir) - weights(by_one[method])).max() <= 1e-4
        assert result(job_dir)["environment"]["parallel"] == "ddp"


def test_a_failure_of_any_worker_is_the_failure_of_all(tiny_llama, cache, tmp_path):
    wild = {"learning_rate": 1e38, "max_grad_norm": 1e30}
    jobs = [make(tmp_path / name, tiny_llama, cache, train=train) for name, train in (("nan", wild), ("fails", {}))]
    assert work(2, cache, jobs, {"rank": 1, "step": 4, "do": "fail"}) == [[1, 1], [1, 1]]
    not_finite, unexpected = (result(job_dir)["error"] for job_dir in jobs)
    assert not_finite["code"] == "not_finite"
    assert not_finite["rows"]
    assert "(worker" not in not_finite["message"]
    assert unexpected["code"] == "unexpected"
    assert unexpected["message"] == "Unexpected ZeroDivisionError: on purpose (worker 1 of 2)"
    assert "in step" in (jobs[0] / "trainer.log").read_text()


def torchrun(job_dir: Path, cache: Path) -> subprocess.Popen:
    command = [REAL_PYTHON, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "temper_trainer", "train", str(job_dir), "--cache", str(cache)]
    with open(job_dir / "trainer.log", "ab") as log:
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)


def until(met) -> None:
    deadline = time.monotonic() + 120
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def process_of(parent: int, rank: int) -> int:
    """A worker that torchrun started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(int(pid) for pid in children if f"RANK={rank}" in Path(f"/proc/{pid}/environ").read_text().split("\0"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
def test_a_killed_worker_and_a_killed_torchrun_end_the_others(tiny_llama, cache, tmp_path):
    long = {"epochs": 30, "checkpoint_seconds": 0.01}
    undisturbed, job_dir = (make(tmp_path / name, tiny_llama, cache, train=long) for name in ("undisturbed", "job"))
    assert torchrun(undisturbed, cache).wait(timeout=300) == 0

    def steps() -> int:
        path = job_dir / "metrics.jsonl"
        return len(events(job_dir, "train")) if path.exists() else 0

    for victim in ("worker", "torchrun"):
        before, launcher = steps(), torchrun(job_dir, cache)
        until(lambda before=before: steps() > before + 3)
        workers = [process_of(launcher.pid, rank) for rank in range(2)]
        os.kill(workers[1] if victim == "worker" else launcher.pid, signal.SIGKILL)
        assert launcher.wait(timeout=60) != 0
        until(lambda workers=workers: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        assert not (job_dir / "result.json").exists()
        (job_dir / "metrics.jsonl").write_bytes((job_dir / "metrics.jsonl").read_bytes().rpartition(b"\n")[0] + b"\n")
    assert re.search(r"worker 0 of 2 lost the connection|Stopped: start again", (job_dir / "trainer.log").read_text())
    assert torchrun(job_dir, cache).wait(timeout=300) == 0
    assert result(job_dir)["weights_sha256"] == result(undisturbed)["weights_sha256"]
    assert len(events(job_dir, "resumed")) == 2


@pytest.mark.parametrize("missing", ["RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_one_of_several_workers_has_to_be_told_where_the_others_are(monkeypatch, missing):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    monkeypatch.delenv(missing)
    with pytest.raises(TrainerError, match=f'Cannot be one of 2 workers: the variable "{missing}" is not set'):
        from_environment()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert from_environment().alone


@given(lengths=st.lists(st.integers(1, 900), max_size=40), workers=st.integers(1, 9))
def test_shares_hold_every_row_once_and_about_as_many_tokens(lengths, workers):
    found = shares(lengths, workers)
    assert sorted(place for part in found for place in part) == list(range(len(lengths)))
    tokens = [sum(lengths[place] for place in part) for part in found]
    assert max(tokens) - min(tokens) <= max(lengths, default=0)


def test_auto_divides_what_has_no_room_on_a_device(monkeypatch, tiny_llama, cache, tmp_path):
    base = {"parameters": 8e9, "vocab": 128256, "hidden": 4096, "tied": False}
    room = {"lora": 0, "full": 0}
    for kind in room:
        job = read_job(make(tmp_path / kind, tiny_llama, cache, method=METHODS[kind]))
        for gigabytes in (500, 80, 20):
            monkeypatch.setattr(parallel, "device_memory", lambda *_, size=gigabytes: size * 1e9)
            mode = parallel.choose_parallel(job, base, "cuda", torch.bfloat16, Workers(0, 2))
            room[kind] += mode == "ddp"
        assert parallel.choose_parallel(job, base, "cuda", torch.bfloat16, Workers()) is None
    assert room == {"lora": 2, "full": 1}
