"""`prepare` as a process that somebody kills, or whose starter is killed."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from starts import REAL_PYTHON, TRAINER_PYTHON

from temper_trainer.bases.base import base_key
from temper_trainer.files import folder_digests

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}


def start(job_dir: Path, cache: Path, before: str = "", python: str = TRAINER_PYTHON) -> subprocess.Popen:
    """`before`: what is done to the trainer before it starts."""
    code = f"{before}\nimport sys\nfrom temper_trainer.__main__ import main\nsys.exit(main())"
    command = [python, "-c", code, "prepare", str(job_dir), "--cache", str(cache)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def make(tmp_path, tiny_llama):
    base = tiny.folder_base(tiny_llama)
    return lambda name: tiny.make_job(tmp_path / name, base, tiny.home_rows(40), tiny.home_rows(4))


# Called at a moment of its work, the process kills itself as the system would
KILLED = {
    "while a base is copied": ("files", "sync_file", "bases.base"),
    "before the base is put in its place": ("files", "write_json", "bases.base"),
    "while rows are written": ("prepared", "PreparedWriter.append", "data.prepared"),
    "before the report is written": ("files", "write_json", "data.prepare"),
}
KILL = """
import importlib, os, signal
module = importlib.import_module("temper_trainer.{place}")
*path, name = "{function}".split(".")
for part in path:
    module = getattr(module, part)
setattr(module, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_prepare_that_was_killed_at_any_moment_is_repeated_with_the_same_result(make, tmp_path):
    undisturbed = make("undisturbed")
    # Forks of the warm one share a hash seed
    assert start(undisturbed, tmp_path / "other cache", python=REAL_PYTHON).wait(60) == 0
    cache = tmp_path / "cache"
    for moment, (_, function, place) in KILLED.items():
        process = start(make(moment), cache, KILL.format(place=place, function=function))
        _, said = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"{moment}: {said}"
    again = make("again")
    process = start(again, cache)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert folder_digests(again) == folder_digests(undisturbed)
    names = [sorted(path.name for path in (folder / "bases").iterdir()) for folder in (cache, tmp_path / "other cache")]
    assert names[0] == names[1]


def test_prepare_waits_for_the_base_and_ends_when_its_reader_is_gone(make, tmp_path):
    """One whose runner was killed is not left behind to work beside the next one."""
    job_dir = make("job")
    base = json.loads((job_dir / "job.json").read_text())["base"]
    bases = tmp_path / "cache" / "bases"
    bases.mkdir(parents=True)
    with open(bases / f"{base_key(base['kind'], base['sha256'])}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = start(job_dir, tmp_path / "cache", python=REAL_PYTHON)
        assert "waiting for another process" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 130
    process.stderr.close()
    assert not (job_dir / "tokens.json").exists()
