"""Settings that change what training takes and not what it gives: checkpointing, 8-bit moments, determinism."""

import json
import signal

import pytest
import tiny
from safetensors import safe_open
from test_train import METHODS, REAL_PYTHON, events, numbers, result, run, start, wait_for

from temper_trainer.job.job import read_job
from temper_trainer.training import checkpointing, device, memory
from temper_trainer.training.costs import Shape, Work, training_flops


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(tiny_llama, cache, tmp_path_factory):
    """A job that was trained with a method and other settings."""

    def trained(method: str, **train):
        rows = tiny.home_rows(24)
        folder = tmp_path_factory.mktemp("job") / "job"
        base = tiny.folder_base(tiny_llama)
        job_dir = tiny.make_job(folder, base, rows, method=METHODS[method], train=train)
        assert run("prepare", job_dir, cache).returncode == 0
        return job_dir

    return trained


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param


def done(job_dir, cache):
    finished = run("train", job_dir, cache)
    assert finished.returncode == 0, finished.stderr
    return result(job_dir)


def test_checkpointing_trains_the_same_weights(trained, cache, method):
    jobs = [trained(method, checkpointing=wanted) for wanted in (False, True)]
    without, with_it = (done(job_dir, cache) for job_dir in jobs)
    assert [each["resources"]["checkpointing"] for each in (without, with_it)] == [False, True]
    assert numbers(jobs[1]) == numbers(jobs[0])
    assert with_it["weights_sha256"] == without["weights_sha256"]


FULL = """
from temper_trainer.training import checkpointing
checkpointing.free_bytes = lambda device: 1_000_000
"""


def test_checkpointing_auto_saves_memory_where_it_is_short_and_says_so(trained, cache):
    job_dir = trained("lora", max_steps=2)
    assert start(job_dir, cache, FULL).wait() == 0
    assert result(job_dir)["resources"]["checkpointing"] is True
    (warning,) = [event["message"] for event in events(job_dir) if event["type"] == "warning"]
    assert warning.startswith("This training needs about 0.0 GB beside the base and 0.0 GB are free: its layers are")
    assert warning.endswith("computed again on the way back (train.checkpointing: auto)")
    plain = done(trained("lora", max_steps=2), cache)
    assert plain["resources"]["checkpointing"] is False
    assert plain["weights_sha256"] == result(job_dir)["weights_sha256"]


FAULTY = """
from temper_trainer.training import checkpointing
usual = checkpointing.Repetition.gradients
def unequal(self, repeated):
    return [gradient * 2 if repeated else gradient for gradient in usual(self, repeated)]
checkpointing.Repetition.gradients = unequal
"""


def test_checkpointing_is_refused_where_layers_do_not_repeat_themselves(trained, cache):
    job_dir = trained("lora", checkpointing=True)
    assert start(job_dir, cache, FAULTY).wait() == 2
    error = result(job_dir)["error"]
    assert error["message"].startswith("Cannot use train.checkpointing on this base: its layers are not the same")
    assert "train.checkpointing to false" in error["hint"]
    job_dir = trained("lora", max_steps=2)
    assert start(job_dir, cache, FULL + FAULTY).wait() == 0
    assert result(job_dir)["resources"]["checkpointing"] is False
    assert any("and its layers are not the same" in event.get("message", "") for event in events(job_dir))


def test_8_bit_moments_are_kept_in_checkpoints_and_go_on(trained, cache):
    settings = {"optimizer": "adamw_8bit", "epochs": 4}
    whole = done(trained("full", **settings), cache)
    job_dir = trained("full", **settings)
    process = start(job_dir, cache, python=REAL_PYTHON)
    wait_for(process, job_dir, lambda event: event["type"] == "train" and event["step"] >= 5)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 130
    (newest,) = job_dir.glob("checkpoints/step-*/state.safetensors")
    with safe_open(newest, "pt") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys() if name.startswith("optimizer.")}
    assert sorted(kinds.values()).count("U8") == 2 * sum(name.endswith("state1") for name in kinds) > 0
    assert done(job_dir, cache)["weights_sha256"] == whole["weights_sha256"]
    assert whole["weights_sha256"] != done(trained("full", epochs=4), cache)["weights_sha256"]


@pytest.mark.parametrize("kind", ["lora", "prefix", "adapter"])
def test_8_bit_moments_are_refused_where_they_save_nothing(trained, cache, tmp_path, kind):
    job_dir = tiny.make_job(tmp_path / "job", {"kind": "hub", "id": "a/b"}, [], method=METHODS[kind], train={"optimizer": "adamw_8bit"})
    assert run("prepare", job_dir, cache).returncode == 2
    message = json.loads((job_dir / "error.json").read_text())["message"]
    assert f'"train.optimizer" must be adamw: method.kind {METHODS[kind].get("kind", "lora")} trains few numbers' in message


def test_determinism_can_be_given_up(trained, cache):
    assert done(trained("lora", max_steps=1), cache)["environment"]["deterministic"] is True
    assert done(trained("lora", max_steps=1, deterministic=False), cache)["environment"]["deterministic"] is False


def test_determinism_is_what_pytorch_is_told(monkeypatch):
    import torch

    usual = device.Environment("", "cpu", "fp32", torch.get_num_threads())
    try:
        for wanted in (False, True):
            device.apply(device.replace(usual, deterministic=wanted))
            assert torch.are_deterministic_algorithms_enabled() is wanted
            assert torch.backends.cudnn.benchmark is not wanted
    finally:
        device.apply(usual)


def test_the_result_says_how_much_of_the_device_was_used(trained, cache):
    job_dir = trained("prefix layers", epochs=2)
    resources = done(job_dir, cache)["resources"]
    report = json.loads((job_dir / "tokens.json").read_text())
    lengths = [len(row) for row in rows_of(job_dir)]
    tokens = {name: 2 * report["train"][name] for name in ("tokens", "supervised")}
    pairs = 2 * sum(n * (n + 1) // 2 + 6 * n for n in lengths)
    work = Work(tokens["tokens"], tokens["supervised"], pairs)
    assert resources["flops"] == training_flops(Shape.of(report["base"]), read_job(job_dir).method, work)
    seconds = result(job_dir)["timing"]["train"]
    assert resources["mfu"] == pytest.approx(resources["flops"] / seconds / resources["peak_flops"], rel=0.02, abs=1e-4)
    assert 0 < resources["mfu"] < 1
    (machine,) = json.loads((job_dir / "checkpoints" / "peak.json").read_text()).items()
    assert machine[0].endswith("cpu, fp32, 1 threads")
    assert round(machine[1]) == resources["peak_flops"]


def rows_of(job_dir):
    from temper_trainer.data.prepared import Prepared

    prepared = Prepared(job_dir / "prepared" / "train.safetensors")
    return [prepared.row(row)[0] for row in range(len(prepared))]


def test_free_memory_is_that_of_the_machine_and_of_its_groups(tmp_path):
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert memory.machine_free(info) == 5000 * 1024
    assert memory.machine_free(tmp_path / "none") is None
    own, groups = tmp_path / "cgroup", tmp_path / "groups"
    own.write_text("0::/job/step\n")
    (groups / "job" / "step").mkdir(parents=True)
    for folder, limit in ((groups / "job", "1000"), (groups / "job" / "step", "max")):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text("700\n")
        (folder / "memory.stat").write_text("anon 600\ninactive_file 100\n")
    assert memory.group_free(groups, own) == 400
    (groups / "job" / "memory.max").write_text("max\n")
    assert memory.group_free(groups, own) is None
    assert memory.free_bytes("cpu") > 0
    assert checkpointing.free_bytes is memory.free_bytes
