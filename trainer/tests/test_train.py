"""`train` as a process: killed, stopped, locked out, refused; always the same result in the end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from safetensors.torch import load_file
from starts import REAL_PYTHON, TRAINER_PYTHON

ROOT = Path(__file__).parents[1]
# One thread: several of them wait for each other on a busy machine
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
TIMES = ("timing", "resources")
PREFIX = {"kind": "prefix", "length": 6, "init_text": "Home: do:"}
METHODS = {
    "lora": {},
    "full": {"kind": "full"},
    "qlora": {"kind": "qlora", **tiny.LOW_RANK},
    "prefix": {**PREFIX, "placement": "input", "init_text": None},
    "prefix layers": {**PREFIX, "placement": "layers"},
    "adapter": {"kind": "adapter", "size": 32},
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def make(tiny_llama, cache):
    def make(folder: Path, **changes) -> Path:
        rows = tiny.home_rows(40)
        job_dir = tiny.make_job(folder, tiny.folder_base(tiny_llama), rows[:36], rows[36:], **changes)
        assert run("prepare", job_dir, cache).returncode == 0
        return job_dir

    return make


@pytest.fixture(scope="module")
def undisturbed(make, cache, tmp_path_factory):
    """A job and its result, done in one go, by an interpreter of its own: forks of the warm one share a hash seed."""
    return finished(make, cache, tmp_path_factory.mktemp("undisturbed") / "job", REAL_PYTHON, **LONG)


@pytest.fixture(scope="module", params=METHODS)
def undisturbed_by_method(request, make, cache, tmp_path_factory, undisturbed):
    if request.param == "lora":
        return "lora", undisturbed
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-")) / "job"
    return request.param, finished(make, cache, folder, REAL_PYTHON, method=METHODS[request.param], **LONG)


def finished(make, cache, folder: Path, python: str = TRAINER_PYTHON, **changes) -> Path:
    job_dir = make(folder, **changes)
    assert run("train", job_dir, cache, python).returncode == 0
    return job_dir


LONG = {"train": {"epochs": 8, "checkpoint_seconds": 0.01}}


# A save of this small model takes as long as ten of its steps: it would hardly ever be made
OFTEN = """
from temper_trainer.training import checkpoint_interval
checkpoint_interval.SHARE = 1
"""
MAIN = """
import sys
from temper_trainer.__main__ import main
sys.exit(main())
"""


def arguments(verb: str, job_dir: Path, cache: Path, before: str = "") -> list[str]:
    """`before`: what is done to the trainer before it starts."""
    program = ["-c", before + MAIN] if before else ["-m", "temper_trainer"]
    return [*program, verb, str(job_dir), "--cache", str(cache)]


def run(verb: str, job_dir: Path, cache: Path, python: str = TRAINER_PYTHON) -> subprocess.CompletedProcess:
    command = [python, *arguments(verb, job_dir, cache)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def start(job_dir: Path, cache: Path, before: str = OFTEN, python: str = TRAINER_PYTHON) -> subprocess.Popen:
    command = [python, *arguments("train", job_dir, cache, before)]
    with open(job_dir / "trainer.log", "ab") as log:
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)


def result(job_dir: Path) -> dict:
    return json.loads((job_dir / "result.json").read_text())


def timeless(job_dir: Path) -> dict:
    return {name: value for name, value in result(job_dir).items() if name not in TIMES}


def events(job_dir: Path) -> list[dict]:
    """Whole lines alone: the file may be read while it is written."""
    path = job_dir / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def wait_for(process: subprocess.Popen, job_dir: Path, found) -> None:
    """Returns when an event is `found`, or the process ends."""
    while process.poll() is None and not any(found(event) for event in events(job_dir)):
        time.sleep(0.02)


def numbers(job_dir: Path) -> dict[int, tuple]:
    """What each step's last line says, times aside."""
    names = ("loss", "smoothed", "smoothed_over", "learning_rate", "grad_norm", "tokens")
    return {e["step"]: tuple(e[name] for name in names) for e in events(job_dir) if e["type"] == "train"}


def test_trained_weights_carry_the_tokenizer_and_the_template(undisturbed_by_method):
    """Who loads the folder alone prompts as in training."""
    from transformers import AutoTokenizer

    method, job_dir = undisturbed_by_method
    folder = job_dir / "artifacts" / ("weights" if method == "full" else "adapter")
    lines = (job_dir / "artifacts" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads((job_dir / "eval.jsonl").read_text(encoding="utf-8").splitlines()[0])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True, tokenize=False)
    assert prompt == json.loads(lines[0])["prompt"]


def test_train_killed_at_random_ends_in_the_same_result(make, cache, undisturbed_by_method, tmp_path):
    method, undisturbed = undisturbed_by_method
    job_dir = make(tmp_path / "job", method=METHODS[method], **LONG)
    seed = int(os.environ.get("TEMPER_SEED", random.randrange(10**6)))
    print(f"TEMPER_SEED={seed} repeats this")
    chance = random.Random(seed)
    for attempt in range(1, 4):
        moment = chance.randrange(1, 18) + 20 * (attempt - 1)
        process = start(job_dir, cache)
        wait_for(process, job_dir, lambda e, moment=moment: e["type"] == "train" and e["step"] >= moment)
        time.sleep(chance.random() * 0.05)
        # The process that holds the lock; `process` stands for it and ends as it does
        os.kill(int((job_dir / "lock").read_text()), signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (job_dir / "result.json").exists()
        with open(job_dir / "metrics.jsonl", "a") as file:
            file.write('{"torn": ')
    assert start(job_dir, cache).wait() == 0
    assert timeless(job_dir) == timeless(undisturbed)
    assert numbers(job_dir) == numbers(undisturbed)
    assert {event["attempt"] for event in events(job_dir)} == {1, 2, 3, 4}
    assert sum(event["type"] == "resumed" for event in events(job_dir)) >= 2


def test_train_of_every_weight_in_bf16_keeps_the_weights_in_fp32(make, cache, tmp_path):
    first = {}
    for dtype in ("fp32", "bf16"):
        train = {"dtype": dtype, "max_steps": 1, "warmup_ratio": 0, "schedule": "constant", "learning_rate": 1e-4}
        job_dir = finished(make, cache, tmp_path / dtype, method=METHODS["full"], train=train)
        assert result(job_dir)["environment"]["dtype"] == dtype
        parameters = result(job_dir)["parameters"]
        assert parameters["trainable"] == parameters["total"] > 0
        first[dtype] = numbers(job_dir)[1]
        file = job_dir / "artifacts" / "weights" / "model.safetensors"
        assert parameters["bytes"] == file.stat().st_size
        weights = load_file(file)
        # A step of 1e-4 is lost where a weight of 1 has eight bits
        norm = weights["model.norm.weight"]
        assert ((norm - norm.bfloat16().float()).abs() > 1e-5).any()
    assert first["bf16"] != first["fp32"]
    assert first["bf16"] == pytest.approx(first["fp32"], rel=0.05)


def test_train_stops_with_a_checkpoint_and_goes_on(make, cache, undisturbed, tmp_path):
    job_dir = make(tmp_path / "job", train={"epochs": 8})
    process = start(job_dir, cache, python=REAL_PYTHON)
    wait_for(process, job_dir, lambda event: event["type"] == "train" and event["step"] >= 5)
    # It trains no further while the second one starts, however long that takes
    process.send_signal(signal.SIGSTOP)
    second = run("train", job_dir, cache)
    assert second.returncode == 3
    assert "another trainer holds its lock" in second.stderr
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    assert process.wait() == 130
    assert [event["type"] for event in events(job_dir)][-1] == "checkpoint"
    assert start(job_dir, cache).wait() == 0
    assert result(job_dir)["weights_sha256"] == result(undisturbed)["weights_sha256"]
    assert result(job_dir)["after"] == result(undisturbed)["after"]


def test_train_goes_on_after_a_kill_while_exporting(make, cache, undisturbed, tmp_path):
    """Also covers a damaged newest checkpoint: the one before is used."""
    job_dir = make(tmp_path / "job", **LONG)
    process = start(job_dir, cache, python=REAL_PYTHON)
    wait_for(process, job_dir, lambda event: event["type"] == "phase" and event["phase"] == "export")
    process.kill()
    process.wait()
    (job_dir / "result.json").unlink(missing_ok=True)
    newest = max(job_dir.glob("checkpoints/step-*"), key=lambda path: int(path.name.removeprefix("step-")))
    data = bytearray((newest / "state.safetensors").read_bytes())
    data[-1] ^= 1
    (newest / "state.safetensors").write_bytes(data)
    assert start(job_dir, cache).wait() == 0
    assert timeless(job_dir) == timeless(undisturbed)
    warnings = [event["message"] for event in events(job_dir) if event["type"] == "warning"]
    assert len(warnings) == 1
    assert f'Cannot use checkpoint "{newest.name}": state.safetensors is damaged' in warnings[0]
    assert (job_dir / "checkpoints" / f"{newest.name}.damaged" / "state.safetensors").read_bytes() == data
    assert sum(event["type"] == "eval" for event in events(job_dir) if event["attempt"] == 2) == 0


def test_train_says_the_mean_of_its_losses(undisturbed):
    """From the first step on: by hand, the exponential average without its bias."""
    average = 0.0
    for step, (loss, smoothed, over, *_) in sorted(numbers(undisturbed).items()):
        average = 0.9 * average + 0.1 * loss
        assert smoothed == pytest.approx(average / (1 - 0.9**step), rel=1e-9)
        assert over == step


# Each step takes a second and each save two, by a clock that nothing else moves
SLOW_SAVES = """
from temper_trainer.training import checkpoint
from temper_trainer.training import loop
from temper_trainer.training import checkpoint_interval
now = [0.0]
def taking(seconds, act):
    def slow(*args):
        act(*args)
        now[0] += seconds
    return slow
loop.Loop.step = taking(1, loop.Loop.step)
checkpoint.Checkpoints.save = taking(2, checkpoint.Checkpoints.save)
loop.CheckpointInterval = lambda least: checkpoint_interval.CheckpointInterval(least, lambda: now[0])
"""


def test_train_saves_less_often_where_saving_is_slow_and_says_so(make, cache, undisturbed, tmp_path):
    job_dir = make(tmp_path / "job", train={"epochs": 8, "checkpoint_seconds": 5})
    assert start(job_dir, cache, SLOW_SAVES).wait() == 0
    saved = [event for event in events(job_dir) if event["type"] == "checkpoint"]
    assert [event["step"] for event in saved] == [5, 43, 72]
    assert [(event["seconds"], event["next_after"]) for event in saved] == [(2, 38)] * 3
    (warning,) = [event["message"] for event in events(job_dir) if event["type"] == "warning"]
    assert warning.startswith("Saving a checkpoint took 2.0 s, so the next one is written after 38 s instead of 5 s")
    assert timeless(job_dir) == timeless(undisturbed)


def test_train_does_nothing_when_it_is_done(cache, undisturbed):
    before = (undisturbed / "metrics.jsonl").read_bytes()
    assert run("train", undisturbed, cache).returncode == 0
    assert (undisturbed / "metrics.jsonl").read_bytes() == before


def test_train_names_the_rows_of_a_loss_that_is_not_finite(make, cache, tmp_path):
    job_dir = make(tmp_path / "job", train={"learning_rate": 1e38, "max_grad_norm": 1e30}, evaluate={"before": False})
    assert run("train", job_dir, cache).returncode == 1
    error = result(job_dir)["error"]
    assert result(job_dir)["state"] == "failed"
    assert error["code"] == "not_finite"
    assert error["rows"]
    assert all(row.startswith("home.jsonl:") and row in error["message"] for row in error["rows"])


def test_train_refuses_what_was_not_prepared(tmp_path, cache):
    job_dir = tiny.make_job(tmp_path / "job", {"kind": "folder", "path": "/", "sha256": ""}, tiny.home_rows(2))
    assert run("train", job_dir, cache).returncode == 2
    assert "run prepare first" in result(job_dir)["error"]["message"]


def test_a_bad_job_and_help_are_answered_without_torch(tmp_path, cache):
    """-X importtime lists what was imported."""
    job_dir = tiny.make_job(tmp_path / "job", {"kind": "folder", "path": "/", "sha256": ""}, [], train={"seed": -1})
    words = 'Cannot use job.json: "train.seed" is -1 and must be 0 or more'
    for verb, options, code in (("prepare", [], 2), ("train", [], 2), ("train", ["--help"], 0)):
        command = [REAL_PYTHON, "-X", "importtime", *arguments(verb, job_dir, cache), *options]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
        assert done.returncode == code
        assert code == 0 or words in done.stderr
        assert "argparse" in done.stderr
        assert "torch" not in done.stderr
    assert json.loads((job_dir / "error.json").read_text())["message"] == words
    assert result(job_dir)["error"]["message"] == words
