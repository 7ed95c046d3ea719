"""job.json is read strictly, and every refusal names its field."""

import json

import pytest
import tiny

from temper_trainer.errors import TrainerError
from temper_trainer.job.job import read_job, schema

PREFIX = {"kind": "prefix", "length": 10, "placement": "input", "init_text": None}
LAYERS = {"placement": "layers"}
BASE = {"kind": "folder", "path": "/base", "sha256": "0"}


def job_with(tmp_path, **changes):
    return read_job(tiny.make_job(tmp_path, BASE, tiny.home_rows(1), **changes))


def test_read_job_reads_the_example_of_the_readme(tmp_path):
    text = (tiny.Path(__file__).parents[1] / "README.md").read_text()
    example = text.split("## job.json (version 1)\n```json\n")[1].split("```")[0]
    job = json.loads(example.replace('"templates": [{"name": "chatml", "…": "…"}]', '"templates": []'))
    (tmp_path / "job.json").write_text(json.dumps(job))
    assert read_job(tmp_path).train.learning_rate == 0.002


def test_read_job_takes_whole_numbers_where_fractions_may_stand(tmp_path):
    assert job_with(tmp_path, train={"epochs": 2}).train.epochs == 2.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"train": {"epoch": 1}},
            '"train.epoch" is not a known field; known fields: epochs, learning_rate, batch_size',
        ),
        ({"method": {"kind": "full", "rank": 8}}, '"method.rank" is not a known field; known fields: kind'),
        (
            {"evaluate": {"few_shot": {"shots": 3}}},
            '"evaluate.few_shot.shots" is not a known field; known fields: in',
        ),
        (
            {"templates": [tiny.CHATML | {"end": ""}]},
            '"templates[0].end" is not a known field; known fields: name, detect',
        ),
        ({"jobs": 1}, '"jobs" is not a known field; known fields: version, name, base, template'),
        ({"train": [1]}, '"train" must be an object'),
        ({"method": {"target": ["q_proj", 1]}}, '"method.target[1]" must be a text, found 1'),
        ({"method": {"rank": "8"}}, "\"method.rank\" must be a whole number, found '8'"),
        ({"templates": [tiny.CHATML | {"stop": []}]}, '"templates[0].stop" must not be an empty list'),
        (
            {"templates": [tiny.CHATML | {"turns": {"user": {"open": "", "close": None}}}]},
            '[0].turns.user.close" must be a',
        ),
        ({"evaluate": {"metric": "taste"}}, "\"evaluate.metric\" is 'taste' and must be one of contains, "),
        ({"export": {"gguf": 1}}, '"export.gguf" must be true or false, found 1'),
        ({"train": {"epochs": 0}}, '"train.epochs" is 0 and must be above 0'),
        ({"train": {"batch_size": 2.5}}, '"train.batch_size" must be a whole number'),
        ({"train": {"batch_size": True}}, '"train.batch_size" must be a whole number'),
        ({"train": {"device": "tpu"}}, "\"train.device\" is 'tpu' and must be one of auto, cpu, cuda, mps"),
        ({"train": {"learning_rate": float("nan")}}, '"train.learning_rate" must be a finite number'),
        ({"method": {"dropout": 1}}, '"method.dropout" is 1 and must be 0.9 or less'),
        ({"method": {"kind": "magic"}}, "\"method.kind\" is 'magic' and must be one of full, "),
        ({"method": {"kind": "full", "rank": 8}}, '"method.rank" is not a known field'),
        ({"method": tiny.LOW_RANK | {"kind": "qlora", "target": []}}, '"method.target" must not be an empty list'),
        ({"method": {"target": "everything"}}, '"method.target" must be all-linear, attention or a list'),
        ({"method": {"target": []}}, '"method.target" must not be an empty list'),
        ({"method": {"kind": "adapter", "size": 50}}, '"method.size" is 50 and must be a multiple of 32'),
        ({"method": PREFIX | {"length": 0}}, '"method.length" is 0 and must be 1 or more'),
        ({"method": PREFIX | {"placement": "middle"}}, "must be one of input, layers"),
        ({"method": PREFIX | LAYERS, "export": {"gguf": True}}, '"export.gguf" must be false: '),
        ({"method": PREFIX | LAYERS, "export": {"merged": True}}, '"export.merged" must be false: '),
        ({"version": 2}, '"version" is 2; this trainer reads version 1'),
        ({"template": "llama9"}, "\"template\" is 'llama9' and must be auto, jinja or one of chatml"),
        ({"templates": [tiny.CHATML | {"stop": ["</s>"]}]}, '"templates[0].turns.assistant.close" must begin with'),
        ({"evaluate": {"metric": "regex"}}, '"evaluate.pattern" is missing'),
        ({"evaluate": {"metric": "regex", "pattern": "("}}, '"evaluate.pattern" is not a regular expression'),
    ],
)
def test_read_job_names_the_field(tmp_path, changes, words):
    with pytest.raises(TrainerError) as caught:
        job_with(tmp_path, **changes)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


def test_job_schema_says_what_is_read():
    renew = "run `python -m temper_trainer schema > job.schema.json` in trainer/"
    assert json.loads((tiny.Path(__file__).parents[1] / "job.schema.json").read_text()) == schema(), renew


def test_job_schema_describes_every_field():
    kinds = [("Job", schema()), *schema()["$defs"].items()]
    fields = [(kind, name, field) for kind, one in kinds for name, field in one["properties"].items()]
    assert [(kind, name) for kind, name, field in fields if "description" not in field and name != "kind"] == []


def test_read_job_says_where_a_field_is_missing(tmp_path):
    path = tiny.make_job(tmp_path, BASE, tiny.home_rows(1)) / "job.json"
    job = json.loads(path.read_text())
    del job["train"]["seed"]
    path.write_text(json.dumps(job))
    with pytest.raises(TrainerError, match=r'"train\.seed" is missing'):
        read_job(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", '{"version": 1', "\udcff"])
def test_read_job_refuses_what_is_no_job(tmp_path, text):
    (tmp_path / "job.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TrainerError, match=r"job\.json"):
        read_job(tmp_path)


def test_prepared_from_changes_with_what_prepare_reads_alone(tmp_path):
    digests = [
        job_with(tmp_path / name, **changes).prepared_from()
        for name, changes in {
            "same": {},
            "rate": {"train": {"learning_rate": 0.5}},
            "length": {"train": {"max_length": 99}},
            "checks": {"checks": {"too_long": "warn"}},
            "ahead": {"method": PREFIX},
            "added": {"method": PREFIX, "export": {"gguf": True}},
        }.items()
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
