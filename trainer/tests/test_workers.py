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
from hypothesis import given
from hypothesis import strategies as st
from starts import REAL_PYTHON, TRAINER_PYTHON

from temper_trainer.errors import TrainerError
from temper_trainer.job.run import run_prepare, run_train
from temper_trainer.job.stop import Stop
from temper_trainer.training import workers
from temper_trainer.training.workers import shares

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
PREFIX = {"kind": "prefix", "length": 6, "init_text": "Home: do:"}
METHODS = {
    "full": {"kind": "full"},
    "lora": {},
    "qlora": {"kind": "qlora", **tiny.LOW_RANK},
    "prefix": {**PREFIX, "placement": "input"},
    "prefix layers": {**PREFIX, "placement": "layers"},
    "adapter": {"kind": "adapter", "size": 32},
}
TABLE = [(method, mode) for method in METHODS for mode in ("ddp", "fsdp")]
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


def start(count: int, cache: Path, jobs: list[Path], log: Path) -> list[subprocess.Popen]:
    """So many workers, which do the jobs one after the other."""
    named = [f"{free_port()}:{job}" for job in jobs]
    command = [TRAINER_PYTHON, str(ROOT / "tests" / "worker.py"), str(cache), *named]
    place = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    with open(log, "ab") as output:
        return [
            subprocess.Popen(
                command,
                env=ENVIRONMENT | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=output,
                stderr=output,
            )
            for rank in range(count)
        ]


def finish(started: list[subprocess.Popen], log: Path) -> None:
    codes = [process.wait(timeout=300) for process in started]
    assert codes == [0] * len(started), log.read_text()


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
        train = {"parallel": mode}
        found[method, mode] = make(folder / name, tiny_llama, cache, method=METHODS[method], train=train)
    log = folder / "log"
    finish(start(2, cache, list(found.values()), log), log)
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
