"""A base whose file does not hold the whole model is refused by the tensor's name, whatever is exported."""

import json
import re

import pytest
import tiny
import torch
from row_by_row import whole_loss
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from temper_trainer.data.prepared import Prepared
from temper_trainer.job.run import run_prepare, run_train
from temper_trainer.job.stop import Stop

MLP = "model.layers.1.mlp.up_proj.weight"


def without(name):
    return lambda tensors: tensors.pop(name) is None


def put(name, *shape):
    return lambda tensors: tensors.update({name: torch.zeros(*shape)})


def rename(tensors):
    for name in list(tensors):
        tensors[f"language_model.{name}"] = tensors.pop(name)


def no_change(_tensors):
    pass


CASES = {
    "no head": (False, without("lm_head.weight"), 'no tensor "lm_head.weight"'),
    "a matrix missing": (True, without(MLP), f'no tensor "{MLP}"'),
    "a norm missing": (True, without("model.norm.weight"), 'no tensor "model.norm.weight"'),
    "other names": (False, rename, 'no tensor "lm_head.weight" \\(and 20 more\\)'),
    "another shape": (True, put(MLP, 96, 64), f'tensor "{MLP}" has the shape \\[96, 64\\]'),
    "a bias that is not read": (
        True,
        put("model.layers.0.mlp.up_proj.bias", 128),
        'a tensor "model.layers.0.mlp.up_proj.bias", which',
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    work = tmp_path_factory.mktemp("bases")
    # Of an architecture whose tensors prepare does not know by name: what loads it has to find out.
    return {tied: tiny.make_base(work / str(tied), "smollm3", tied=tied) for tied in (True, False)}


def trained(folders, tmp_path, tied, change, kind="full", **config):
    """result.json of a job on the folder with its tensors changed."""
    folder = tmp_path / "base"
    folder.mkdir()
    for path in folders[tied].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(described | config))
    method = {"kind": kind} | (tiny.LOW_RANK if kind != "full" else {})
    job_dir = tiny.make_job(
        tmp_path / "job", tiny.folder_base(folder), tiny.home_rows(4), method=method, train={"max_steps": 1}
    )
    if run_prepare(job_dir, tmp_path / "cache"):
        return {"state": "failed", "error": json.loads((job_dir / "error.json").read_text())}
    run_train(job_dir, tmp_path / "cache", Stop())
    return json.loads((job_dir / "result.json").read_text())


@pytest.mark.parametrize("kind", ["full", "lora", "qlora"])
@pytest.mark.parametrize("case", CASES)
def test_a_base_that_is_not_whole_is_refused_by_name(folders, tmp_path, case, kind):
    tied, change, message = CASES[case]
    result = trained(folders, tmp_path, tied, change, kind)
    assert result["state"] == "failed"
    assert result["error"]["code"] == "unsupported_base" and result["error"]["hint"]
    assert re.search(message, result["error"]["message"]), result["error"]["message"]


@pytest.mark.parametrize("kind", ["full", "lora", "qlora"])
def test_a_head_of_its_own_is_never_replaced_by_the_embedding(folders, tmp_path, kind):
    """config.json ties it, the file has another one: trained as it is, or refused."""
    result = trained(folders, tmp_path, False, no_change, kind, tie_word_embeddings=True)
    if result["state"] == "failed":
        assert "head" in result["error"]["message"] and result["error"]["code"] == "unsupported_base"
    else:
        first = next(
            event
            for line in (tmp_path / "job" / "metrics.jsonl").read_text().splitlines()
            if (event := json.loads(line))["type"] == "train"
        )
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "base").eval()
        table = Prepared(tmp_path / "job" / "prepared" / "train.safetensors")
        with torch.no_grad():
            rows = [whole_loss(model, lambda ids: {"input_ids": ids}, table.row(index)) for index in range(len(table))]
        assert first["loss"] == pytest.approx(torch.cat(rows).mean().item(), abs=1e-4 if kind != "qlora" else 0.2)


def test_constants_of_old_files_are_left_aside(folders, tmp_path):
    result = trained(folders, tmp_path, True, put("model.layers.0.self_attn.rotary_emb.inv_freq", 8))
    assert result["state"] == "done", result["error"]
