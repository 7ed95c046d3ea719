"""Every architecture is trained with the loss that transformers gives it row by row, or refused before training."""

import json
import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import architectures
import pytest
import tiny
import torch
from row_by_row import JobOf, chosen, distances, move, some_rows, whole_loss
from transformers import AutoModelForCausalLM

from temper_trainer.bases.base import prepare_base
from temper_trainer.data.prepared import Prepared
from temper_trainer.errors import TrainerError
from temper_trainer.export.merge_check import check_merged
from temper_trainer.job.run import run_prepare, run_train
from temper_trainer.job.settings import Adapter, Full, Lora, Prefix, Qlora
from temper_trainer.job.stop import Stop
from temper_trainer.methods import attach, load
from temper_trainer.training.device import Environment
from temper_trainer.training.random_state import RandomState

EXACT = 1e-5
ANSWER = 6
FP32 = Environment("", "cpu", "fp32", 1)
SOME = ["llama", "cohere", "gemma2", "lfm2", "gpt-oss", "bloom"]


@dataclass
class Trained:
    result: dict
    first_loss: float
    job_dir: Path


def rows(count: int) -> list[dict]:
    """Of all lengths from one word to four windows, and longer than phi3's first context."""
    return [
        {"origin": f"rows:{i}", "messages": tiny.conversation("lamp " * (1 + 9 * (i % 4)), "on " * (1 + i % 3), None)}
        for i in range(count)
    ]


def run(work: Path, method: dict) -> Trained | dict:
    """The job's outcome; its error where it was refused. What is refused with other targets is tried with these."""
    job_dir = tiny.make_job(
        work / method["kind"],
        tiny.folder_base(work / "base"),
        rows(6),
        rows(4),
        method=method,
        train={"batch_size": 6, "max_steps": 3, "epochs": 3, "learning_rate": 0.05, "warmup_ratio": 0},
        evaluate={"max_new_tokens": ANSWER},
        export={"merged": method["kind"] == "lora"},
    )
    if run_prepare(job_dir, work / "cache"):
        return json.loads((job_dir / "error.json").read_text())
    run_train(job_dir, work / "cache", Stop())
    result = json.loads((job_dir / "result.json").read_text())
    events = [json.loads(line) for line in (job_dir / "metrics.jsonl").read_text().splitlines()]
    losses = [event["loss"] for event in events if event["type"] == "train"]
    if result["state"] == "done":
        return Trained(result, losses[0], job_dir)
    assert not losses, "refused after it had been trained"
    others = re.search(r"method.target to \[(.+)\]", result["error"]["hint"])
    if not others or others[1].split(", ") == method["target"]:
        return result["error"]
    shutil.rmtree(job_dir)
    return run(work, method | {"target": others[1].split(", ")})


def mean_loss(model, table: Prepared) -> float:
    """Over the labelled tokens of all rows."""
    with torch.no_grad():
        rows = [whole_loss(model, lambda ids: {"input_ids": ids}, table.row(index)) for index in range(len(table))]
    return torch.cat(rows).mean().item()


def greedy(model, prompt: list[int], stop: int) -> list[int]:
    answer: list[int] = []
    while len(answer) < ANSWER and stop not in answer:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([prompt + answer]), use_cache=False).logits
        answer.append(int(logits[0, -1].argmax()))
    return answer


def differences(trained: Trained, base: Path) -> dict[str, float]:
    """How far the losses in training and in both evaluations lie from those of transformers, and wrong answers."""
    prepared, artifacts = trained.job_dir / "prepared", trained.job_dir / "artifacts"
    train, held_out = (Prepared(prepared / f"{name}.safetensors") for name in ("train", "eval"))
    whole = next(path for path in (artifacts / "merged", artifacts / "weights") if path.exists())
    before = AutoModelForCausalLM.from_pretrained(base).eval()
    after = AutoModelForCausalLM.from_pretrained(whole).eval()
    lines = (artifacts / "predictions.jsonl").read_text().splitlines()
    wrong = 0
    for index, line in enumerate(map(json.loads, lines)):
        tokens, labels = held_out.row(index)
        prompt = tokens[: labels.argmax()].tolist()
        for model, answer in ((before, line["before"]), (after, line["after"])):
            wrong += text(base, greedy(model, prompt, 2)) != answer
    result = trained.result
    return {
        "training": abs(trained.first_loss - mean_loss(before, train)),
        "before": abs(result["before"]["loss"] - mean_loss(before, held_out)),
        "after": abs(result["after"]["loss"] - mean_loss(after, held_out)),
        "answers": wrong,
    }


def text(base: Path, answer: list[int]) -> str:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(base / "tokenizer.json")).decode([token for token in answer if token != 2])


def gradient(base: Path, method: dict) -> float:
    """How far gradients lie from those of the whole model."""
    kind = {"lora": Lora, "full": Full}[method["kind"]]
    model = AutoModelForCausalLM.from_pretrained(base)
    attached = attach(JobOf(kind(**method)), model, RandomState(1, "cpu"), lambda text: [])
    move(attached)
    table = some_rows()
    return distances(attached, table, chosen(attached, table).train)[1]


def judge(name: str, work: Path, capsys) -> None:
    logging.disable(logging.WARNING)
    base = architectures.make(name, work / "base")
    for method in ({"kind": "lora", **tiny.LOW_RANK, "alpha": 8.0, "dropout": 0.0}, {"kind": "full"}):
        outcome = run(work, method)
        line = f"{name:24}{method['kind']:6}"
        if isinstance(outcome, dict):
            line += f"refused: {outcome['message']} ({outcome['hint']})"
        else:
            job = json.loads((outcome.job_dir / "job.json").read_text())
            found = differences(outcome, base) | {"gradient": gradient(base, job["method"])}
            ways = outcome.result["environment"]["ways"]
            how = [f"{way['rows']} {way['head']}" for way in (ways["train"], ways["score"])]
            figures = "".join(f"{kind} {value:<9.1g}" for kind, value in found.items())
            line += f"{figures}{', '.join([*how, ways['answer']])}"
        with capsys.disabled():
            print(line, flush=True)
        if isinstance(outcome, dict):
            assert outcome["code"] != "unexpected" and outcome["hint"], outcome
        else:
            assert max(found.values()) <= EXACT, found


@pytest.mark.parametrize("name", SOME)
def test_an_architecture_is_trained_with_its_own_loss(name, tmp_path, capsys):
    judge(name, tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in architectures.MODELS if name not in SOME])
def test_any_architecture_is_trained_with_its_own_loss_or_refused(name, tmp_path, capsys):
    judge(name, tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", architectures.MODELS)
def test_any_method_has_the_gradients_of_the_whole_model_or_refuses_an_architecture(name, tmp_path, capsys):
    logging.disable(logging.WARNING)
    folder = architectures.make(name, tmp_path / "base")
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", lambda *_: None)
    table, low_rank = some_rows(), tiny.LOW_RANK | {"alpha": 8.0, "dropout": 0.0}
    methods = {
        "qlora": Qlora(kind="qlora", **low_rank),
        "adapter": Adapter("adapter", 32),
        "input": Prefix("prefix", 5, "input", "a"),
        "layers": Prefix("prefix", 5, "layers", "a"),
    }
    for kind, config in methods.items():
        job = JobOf(config)
        try:
            method = attach(job, load(job, base, FP32), RandomState(1, "cpu"), lambda text: [9, 40, 7])
            ways = chosen(method, table)
        except TrainerError as error:
            line = f"refused: {error.message} ({error.hint})"
            assert error.code in ("bad_method", "unsupported_base") and error.hint, line
        else:
            move(method)
            method.model.train()
            loss, gradient = distances(method, table, ways.train)
            line = (
                f"training {loss:<9.1g}gradient {gradient:<9.1g}{ways.train.rows} {ways.train.head}, {ways.answer.name}"
            )
            assert loss < 2e-5 and gradient < EXACT, line
            check_merged(method, table)
        with capsys.disabled():
            print(f"{name:24}{kind:8}{line}", flush=True)
