"""Settings that change what training takes and not what it gives: checkpointing, 8-bit moments, determinism."""

import json

import pytest
import tiny
import torch
from safetensors.torch import load_file
from test_train import METHODS, events, numbers, result

from temper_trainer.data.prepared import Prepared
from temper_trainer.job.job import read_job
from temper_trainer.job.run import run_prepare, run_train
from temper_trainer.job.stop import Stop, Stopped
from temper_trainer.training import checkpointing, device, loop, memory
from temper_trainer.training.costs import Shape, Work, training_flops


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def make(tiny_llama, cache, tmp_path_factory):
    """A prepared job with a method and other settings."""

    def make(method: str, **train):
        folder = tmp_path_factory.mktemp("job") / "job"
        base = tiny.folder_base(tiny_llama)
        job_dir = tiny.make_job(folder, base, tiny.home_rows(24), method=METHODS[method], train=train)
        assert run_prepare(job_dir, cache) == 0
        return job_dir

    return make


def done(job_dir, cache):
    assert run_train(job_dir, cache, Stop()) == 0
    return result(job_dir)


def warnings(job_dir) -> list[str]:
    return [event["message"] for event in events(job_dir) if event["type"] == "warning"]


@pytest.mark.parametrize("method", METHODS)
def test_checkpointing_trains_the_same_weights(make, cache, method):
    jobs = [make(method, checkpointing=wanted) for wanted in (False, True)]
    without, with_it = (done(job_dir, cache) for job_dir in jobs)
    assert [each["resources"]["checkpointing"] for each in (without, with_it)] == [False, True]
    assert numbers(jobs[1]) == numbers(jobs[0])
    assert with_it["weights_sha256"] == without["weights_sha256"]


def test_checkpointing_auto_saves_memory_where_it_is_short_and_says_so(make, cache, monkeypatch):
    plain = done(make("lora", max_steps=2), cache)
    assert plain["resources"]["checkpointing"] is False
    monkeypatch.setattr(checkpointing, "free_bytes", lambda device: 1_000_000)
    job_dir = make("lora", max_steps=2)
    short = done(job_dir, cache)
    assert short["resources"]["checkpointing"] is True
    assert short["weights_sha256"] == plain["weights_sha256"]
    (warning,) = warnings(job_dir)
    assert warning.startswith("This training needs about 0.0 GB beside the base and 0.0 GB are free: its layers are")
    assert warning.endswith("computed again on the way back (train.checkpointing: auto)")


def test_checkpointing_is_refused_where_layers_do_not_repeat_themselves(make, cache, monkeypatch):
    usual = checkpointing.Repetition.gradients
    twice = lambda self, repeated: [part * (1 + repeated) for part in usual(self, repeated)]  # noqa: E731
    monkeypatch.setattr(checkpointing.Repetition, "gradients", twice)
    job_dir = make("lora", checkpointing=True)
    assert run_train(job_dir, cache, Stop()) == 2
    error = result(job_dir)["error"]
    assert error["message"].startswith("Cannot use train.checkpointing on this base: its layers are not the same")
    assert "train.checkpointing to false" in error["hint"]
    monkeypatch.setattr(checkpointing, "free_bytes", lambda device: 1_000_000)
    job_dir = make("lora", max_steps=2)
    assert done(job_dir, cache)["resources"]["checkpointing"] is False
    assert "and its layers are not the same when computed again" in warnings(job_dir)[0]


def test_8_bit_moments_are_kept_in_checkpoints_and_go_on(make, cache, monkeypatch):
    whole = done(make("full", optimizer="adamw_8bit"), cache)
    assert whole["weights_sha256"] != done(make("full"), cache)["weights_sha256"]
    job_dir, usual = make("full", optimizer="adamw_8bit"), loop.Loop.step

    def stopped(self):
        if self.state.step == 3:
            raise Stopped
        usual(self)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "step", stopped)
        with pytest.raises(Stopped):
            run_train(job_dir, cache, Stop())
    (kept,) = job_dir.glob("checkpoints/step-3/state.safetensors")
    moments = [tensor for name, tensor in load_file(kept).items() if name.endswith(("state1", "state2"))]
    assert moments
    assert {tensor.dtype for tensor in moments} == {torch.uint8}
    assert done(job_dir, cache)["weights_sha256"] == whole["weights_sha256"]


@pytest.mark.parametrize("kind", ["lora", "prefix", "adapter"])
def test_8_bit_moments_are_refused_where_they_save_nothing(cache, tmp_path, kind):
    job_dir, base = tmp_path / "job", {"kind": "hub", "id": "a/b"}
    tiny.make_job(job_dir, base, [], method=METHODS[kind], train={"optimizer": "adamw_8bit"})
    assert run_prepare(job_dir, cache) == 2
    message = json.loads((job_dir / "error.json").read_text())["message"]
    assert f'"train.optimizer" must be adamw: method.kind {kind} trains few numbers' in message


def test_determinism_can_be_given_up(make, cache):
    assert done(make("lora", max_steps=1), cache)["environment"]["deterministic"] is True
    assert done(make("lora", max_steps=1, deterministic=False), cache)["environment"]["deterministic"] is False


def test_determinism_is_what_pytorch_is_told(monkeypatch):
    usual = device.Environment("", "cpu", "fp32", torch.get_num_threads())
    try:
        for wanted in (False, True):
            device.apply(device.replace(usual, deterministic=wanted))
            assert torch.are_deterministic_algorithms_enabled() is wanted
            assert torch.backends.cudnn.benchmark is not wanted
    finally:
        device.apply(usual)


def test_the_result_says_how_much_of_the_device_was_used(make, cache):
    job_dir = make("prefix layers", epochs=2)
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
