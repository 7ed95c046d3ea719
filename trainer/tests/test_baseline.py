"""The base is scored once: later trainings take its scores where everything that they depend on is the same."""

import json
import multiprocessing
import platform
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
from starts import TRAINER_PYTHON
from test_train import ENVIRONMENT, METHODS, arguments

from temper_trainer.data.prepare import prepare
from temper_trainer.errors import TrainerError
from temper_trainer.eval import baseline
from temper_trainer.eval.baseline import processor_name, score_base
from temper_trainer.eval.baseline_store import FOLDER, BaselineStore, Kept, entry_path
from temper_trainer.eval.evaluate import Scores
from temper_trainer.job.events import Metrics
from temper_trainer.job.job import read_job
from temper_trainer.job.stop import Stop
from temper_trainer.training.session import open_session
from temper_trainer.training.train import make_ready

FEW_SHOT = {"instructions": "Explain.", "examples": 1}


def quiet(*_):
    pass


@pytest.fixture
def world(tiny_llama, tmp_path):
    """Makes jobs on the tiny base, which share a cache."""
    return World(tiny_llama, tmp_path)


class World:
    def __init__(self, base: Path, folder: Path):
        self.base, self.folder, self.cache, self.jobs = base, folder, folder / "cache", 0

    def job(self, evaluation=None, base=None, **changes) -> Path:
        self.jobs += 1
        rows = tiny.home_rows(20)
        folder = self.folder / f"run-{self.jobs}" / "job"
        evaluation = rows[16:] if evaluation is None else evaluation
        tiny.make_job(folder, tiny.folder_base(base or self.base), rows[:16], evaluation, **changes)
        prepare(read_job(folder), folder, self.cache, quiet)
        return folder

    def score(self, **changes) -> "Scored":
        """Scores the base as a training does."""
        folder = self.job(**changes)
        return self.score_in(folder)

    def score_in(self, folder: Path) -> "Scored":
        metrics = Metrics(folder / "metrics.jsonl")
        session = open_session(read_job(folder), folder, self.cache, Stop(), metrics)
        ready = make_ready(session)
        seen = []
        with ready.method.off():
            scores = score_base(session, ready.ways, lambda done, total: seen.append((done, total)))
        return Scored(folder, scores, seen)

    def entries(self) -> list[Path]:
        return sorted((self.cache / FOLDER).glob("*.json"))


class Scored:
    def __init__(self, folder: Path, scores: dict[str, Scores | None], seen: list[tuple[int, int]]):
        self.folder, self.scores, self.seen = folder, scores, seen

    @property
    def taken(self) -> dict[str, str | None]:
        """The job folders that the scores are from."""
        return {name: value.taken["job"] if value and value.taken else None for name, value in self.scores.items()}

    @property
    def figures(self) -> dict[str, Scores | None]:
        return {name: value and replace(value, taken=None) for name, value in self.scores.items()}

    @property
    def warnings(self) -> list[str]:
        lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        return [event["message"] for event in map(json.loads, lines) if event["type"] == "warning"]


def test_every_method_takes_the_scores_that_it_would_compute(world, tmp_path):
    """Without a cache in common each computes its own: all of them are equal to the last bit."""
    first = world.score(template="chatml")
    assert first.taken == {"before": None, "few_shot": None}
    for name, method in METHODS.items():
        changes = {"method": method} if method else {}
        taken = world.score(template="chatml", **changes)
        alone = World(world.base, tmp_path / name).score(template="chatml", **changes)
        assert taken.taken["before"] == str(first.folder), name
        assert alone.taken["before"] is None
        assert taken.figures == alone.figures == first.figures, name
        assert taken.seen == [(4, 4)]
    assert len(world.entries()) == 1


def test_what_the_training_is_told_does_not_matter_to_its_base(world):
    first = world.score()
    other = world.score(train={"seed": 7, "learning_rate": 0.5, "epochs": 3, "batch_size": 2}, name="other")
    assert other.taken["before"] == str(first.folder)
    assert other.figures == first.figures


def test_another_base_row_metric_or_length_of_answers_is_scored_anew(world, tiny_qwen2):
    first = world.score()
    rows = tiny.home_rows(20)[16:]
    other_text = json.loads(json.dumps(rows).replace("lamp", "lamps"))
    for changes in (
        {"base": tiny_qwen2},
        {"evaluation": rows[:3]},
        {"evaluation": other_text},
        {"evaluate": {"max_new_tokens": 9}},
        {"evaluate": {"metric": "contains"}},
        {"evaluate": {"metric": "none"}},
        {"train": {"micro_tokens": 128}},
        {"train": {"dtype": "bf16"}},
    ):
        assert world.score(**changes).taken["before"] is None, changes
    assert world.score().taken["before"] == str(first.folder)
    assert len(world.entries()) == 9


def test_another_processor_scores_anew(world, monkeypatch):
    world.score()
    monkeypatch.setattr(baseline, "processor_name", lambda: "another")
    assert world.score().taken["before"] is None


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        (
            "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Xeon\ncpu MHz\t: 2700.1\n\n"
            "processor\t: 1\nmodel\t\t: 143\n",
            "6 143 Xeon",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n", "0x41 0xd0c"),
        ("", platform.processor()),
        (None, platform.processor()),
    ],
)
def test_processor_name(tmp_path, listed, name):
    path = tmp_path / "cpuinfo"
    if listed is not None:
        path.write_text(listed)
    assert processor_name(path) == name


def test_examples_in_the_prompt_are_scored_apart(world):
    first = world.score(evaluate={"few_shot": FEW_SHOT})
    assert first.seen[-1] == (8, 8)
    second = world.score(evaluate={"few_shot": FEW_SHOT})
    assert second.taken == {"before": str(first.folder), "few_shot": str(first.folder)}
    assert second.figures == first.figures
    third = world.score(evaluate={"few_shot": FEW_SHOT | {"instructions": "Say it."}})
    assert third.taken == {"before": str(first.folder), "few_shot": None}


def test_a_damaged_entry_is_computed_again_and_replaced(world):
    first = world.score()
    (path,) = world.entries()
    whole = path.read_text()
    entry = json.loads(whole)
    changed = entry | {"scores": entry["scores"] | {"loss": 0.5}}
    for text in (whole[:100], "[]", json.dumps(changed)):
        path.write_text(text)
        again = world.score()
        assert again.taken["before"] is None, text
        assert again.figures == first.figures
        (warning,) = again.warnings
        assert f'Cannot use the scores kept in "{path}"' in warning
        assert world.score().taken["before"] == str(again.folder)


def test_an_entry_of_another_key_is_not_believed(world):
    first, other = world.score(), world.score(evaluate={"max_new_tokens": 9})
    parts = {path: json.loads(path.read_text())["parts"] for path in world.entries()}
    one, two = sorted(parts, key=lambda path: parts[path]["evaluate"]["max_new_tokens"])
    one.write_text(two.read_text())
    again = world.score()
    assert again.figures == first.figures
    assert other.taken["before"] is None
    assert "belongs to another key" in again.warnings[0]


def test_a_cache_that_cannot_be_written_is_a_warning(world):
    world.cache.mkdir()
    (world.cache / FOLDER).write_text("a file in its place")
    scored = world.score()
    assert scored.scores["before"].rows == 4
    assert any("Cannot keep the scores of the base" in warning for warning in scored.warnings)


def test_an_evaluation_that_is_stopped_leaves_no_entry(world):
    folder = world.job()

    def stop(*_):
        raise TrainerError("stopped", "Stopped")

    metrics = Metrics(folder / "metrics.jsonl")
    session = open_session(read_job(folder), folder, world.cache, Stop(), metrics)
    with pytest.raises(TrainerError):
        score_base(session, make_ready(session).ways, stop)
    assert world.entries() == []


def write_often(cache: Path, number: int, rows: int) -> None:
    store = BaselineStore([cache], quiet)
    for _ in range(20):
        store.keep({"a": 1}, Kept(Scores(rows, 0.5, ["answer"] * rows, [True] * rows), f"job-{number}", 1.0))


def test_two_that_write_at_once_leave_whole_entries(tmp_path):
    """Different ones, so that a mixture of both would show; killed ones leave what is read as missing, or whole."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_often, args=(tmp_path, number, 2000)) for number in range(3)]
    for writer in writers:
        writer.start()
    warnings = []
    store = BaselineStore([tmp_path], warnings.append)
    found = 0
    while any(writer.is_alive() for writer in writers):
        kept = store.find({"a": 1})
        found += kept is not None
        writers[0].kill()
    for writer in writers:
        writer.join()
    kept = store.find({"a": 1})
    assert kept is not None and kept.scores.answers == ["answer"] * 2000
    assert warnings == []
    assert entry_path(tmp_path, {"a": 1}).exists()


def test_two_trainings_of_one_base_score_it_once(world):
    """The real program, from its first to its last file."""
    jobs = [world.job(), world.job(method={"kind": "adapter", "size": 32})]
    for job in jobs:
        command = [TRAINER_PYTHON, *arguments("train", job, world.cache)]
        subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True, timeout=300)
    first, second = (json.loads((job / "result.json").read_text()) for job in jobs)
    assert second["before"] == first["before"]
    assert "baseline" not in first["resources"]
    assert second["resources"]["baseline"]["before"]["job"] == str(jobs[0])
    assert second["resources"]["baseline"]["before"]["seconds"] > 0
    answers = [
        [json.loads(line)["before"] for line in (job / "artifacts" / "predictions.jsonl").read_text().splitlines()]
        for job in jobs
    ]
    assert answers[0] == answers[1]
    events = [json.loads(line) for line in (jobs[1] / "metrics.jsonl").read_text().splitlines()]
    assert [event["score"] for event in events if event["type"] == "baseline"] == ["before"]
