"""The parts of a Ray job's driver that need no Ray: tests/engines/ray has a real cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from temper_trainer.ray_workers import environment, signal_name

SLEEPS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("leaving", flush=True), sys.exit(130)))
print("pid", os.getpid(), flush=True)
time.sleep(60)
"""


def start_guard(log: Path, code: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "temper_trainer.ray_workers", "guard", f"{log}\n[1] ", sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def wait_for(log: Path, text: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if log.exists() and text in log.read_text():
            return log.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{text!r} was not logged")


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_guard_ends_its_worker_gently_once_nobody_holds_its_stdin(tmp_path):
    log = tmp_path / "trainer.log"
    guard = start_guard(log, SLEEPS)
    wait_for(log, "[1] pid ")
    guard.stdin.close()
    assert guard.wait(60) == 130
    assert log.read_text().splitlines()[-1] == "[1] leaving"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_worker_does_not_outlive_its_guard(tmp_path):
    log = tmp_path / "trainer.log"
    guard = start_guard(log, SLEEPS)
    pid = int(wait_for(log, "\n").split()[-1])
    guard.kill()
    guard.wait(60)
    assert ends(pid)


def test_a_guard_ends_as_its_worker_did(tmp_path):
    log = tmp_path / "trainer.log"
    assert start_guard(log, "import os; os.kill(os.getpid(), 9)").wait(60) == 128 + signal.SIGKILL
    assert start_guard(log, "raise SystemExit(2)").wait(60) == 2


def test_workers_of_a_node_see_all_its_gpus_and_choose_by_local_rank():
    places = [{"address": f"10.0.0.{node}", "port": 5000, "gpus": [gpu]} for node in (1, 2) for gpu in ("2", "3")]
    spec = {"workers_per_node": 2, "env": {"PYTHONPATH": "/shared"}}
    assert environment(spec, 3, places) == {
        "PYTHONPATH": "/shared",
        "RANK": "3",
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "10.0.0.1",
        "MASTER_PORT": "5000",
        "CUDA_VISIBLE_DEVICES": "2,3",
    }


def test_workers_without_gpus_leave_the_choice_of_devices_alone():
    places = [{"address": "10.0.0.1", "port": 5000, "gpus": []}]
    assert "CUDA_VISIBLE_DEVICES" not in environment({"workers_per_node": 1, "env": {}}, 0, places)


@pytest.mark.parametrize(("code", "name"), [(137, "SIGKILL"), (139, "SIGSEGV"), (130, None), (1, None), (255, None)])
def test_signals_have_names_and_other_ends_have_none(code, name):
    assert signal_name(code) == name
