"""Every export is compared with its base and with the trained model: what is lost on the way is noticed."""

import json

import numpy as np
import pytest
import tiny
import torch
from llama_cpp import hf_log_probs
from sharp import make_sharp, say_tied
from test_export import PROMPTS, Export, Job, export, from_gguf, quiet, trained
from test_train import METHODS, run

from temper_trainer.archs.architecture import Architecture
from temper_trainer.bases.base import prepare_base
from temper_trainer.errors import TrainerError
from temper_trainer.export import export_check, llama_cpp
from temper_trainer.export.export import export_model
from temper_trainer.export.export_check import Sample, check_logits, check_tensors_of_file, check_tensors_of_folder
from temper_trainer.export.merge import Merge
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice

NOTHING = Merge(lambda: iter(()))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    work = tmp_path_factory.mktemp("base")
    folder = make_sharp(work / "hf", "llama", tied=False)
    return prepare_base(tiny.folder_base(folder), work / "cache", quiet)


def samples(model) -> list[Sample]:
    return [Sample(prompt, hf_log_probs(model, prompt)) for prompt in PROMPTS[:3]]


@pytest.mark.parametrize("method", [name for name in METHODS if name != "prefix layers"])
def test_train_says_how_it_compared_what_it_exported(tmp_path, method):
    folder = make_sharp(tmp_path / "hf", "llama", tied=False)
    rows = tiny.home_rows(12)
    job = tiny.make_job(
        tmp_path / "job",
        tiny.folder_base(say_tied(folder)),
        rows[:8],
        rows[8:],
        method=METHODS[method],
        train={"learning_rate": 1e-4},
        export={"gguf": True, "merged": True, "quantization": "f32"},
    )
    for verb in ("prepare", "train"):
        done = run(verb, job, tmp_path / "cache")
        assert done.returncode == 0, done.stderr
    check = json.loads((job / "result.json").read_text())["export_check"]
    # Two layers of nine, embedding, norm and the head that config.json denies
    assert check["gguf"]["tensors"] == check["merged"]["tensors"] == 21
    logits = check["gguf"]["logits"]
    assert logits["compared"] is True
    assert logits["rows"] == 4
    assert logits["mean_difference"] < 1e-3
    assert logits["engine"].startswith("xllamacpp 20")


def test_lost_tensor_is_noticed(tmp_path, base, monkeypatch):
    listed = Architecture.tensors
    monkeypatch.setattr(Architecture, "tensors", lambda *given: [n for n in listed(*given) if n != "output.weight"])
    with pytest.raises(TrainerError, match=r'model.gguf: tensor "output.weight" of the base is missing$') as caught:
        export(base, tmp_path / "job", NOTHING)
    assert caught.value.exit_code == 1
    assert not (tmp_path / "job" / "artifacts" / "model.gguf").exists()


def test_tensor_that_the_base_does_not_have_and_another_shape_are_noticed(tmp_path, base):
    path = export(base, tmp_path / "job", NOTHING, merged=True) / "model.gguf"
    assert check_tensors_of_file(path, base, NOTHING) == 21
    wider = Merge(NOTHING.tensors, shapes={"model.layers.0.mlp.up_proj.weight": (160, 64)})
    words = r'"blk.0.ffn_up.weight" has the shape \(128, 64\) instead of \(160, 64\)'
    with pytest.raises(TrainerError, match=words):
        check_tensors_of_file(path, base, wider)
    with pytest.raises(TrainerError, match=r'merged/: tensor "model.layers.0.mlp.up_proj.weight" has the shape'):
        check_tensors_of_folder(path.with_name("merged"), base, wider)
    biased = make_sharp(tmp_path / "biased", "llama", tied=False, attention_bias=True)
    other = prepare_base(tiny.folder_base(biased), tmp_path / "cache", quiet)
    more = export(other, tmp_path / "more", NOTHING) / "model.gguf"
    with pytest.raises(TrainerError, match=r'"blk.0.attn_k.bias" is not one of the base \(8 differences in all\)'):
        check_tensors_of_file(more, base, NOTHING)
    with pytest.raises(TrainerError, match=r'"blk.0.attn_k.bias" of the base is missing \(8 differences in all\)'):
        check_tensors_of_file(path, other, NOTHING)


def test_spliced_file_is_compared_too(tmp_path, base):
    again = from_gguf(export(base, tmp_path / "first", NOTHING) / "model.gguf", tmp_path / "cache")
    path = export(again, tmp_path / "second", NOTHING) / "model.gguf"
    assert check_tensors_of_file(path, again, NOTHING) == 21


def test_wrong_values_are_noticed_by_their_logits(tmp_path, base, monkeypatch):
    """All tensors are there, with the right shapes; rows of q and k lie in the wrong order."""
    model, merged = trained(base)
    judge = lambda path: check_logits(path, "f32", lambda: samples(model))  # noqa: E731
    (tmp_path / "good").mkdir()
    job = Job(Export())
    good = export_model(job, tmp_path / "good", base, Merge(merged), quiet, judge)
    assert good.check["gguf"]["logits"]["largest_difference"] < 1e-3
    monkeypatch.setattr(Architecture, "_rotated", lambda *_: None)
    (tmp_path / "bad").mkdir()
    with pytest.raises(TrainerError, match=r"model\.gguf: llama\.cpp .* \d\S* off on average, .*\(0\.05\)$"):
        export_model(job, tmp_path / "bad", base, Merge(merged), quiet, judge)
    assert not (tmp_path / "bad" / "artifacts" / "model.gguf").exists()


def test_lost_head_is_noticed_by_its_logits(tmp_path, base):
    """A file without the head answers with the embedding in its place."""
    file = GgufFile(export(base, tmp_path / "job", NOTHING) / "model.gguf")
    del file.tensors["output.weight"]
    model = base.load_model(torch.float32, "cpu")
    for quantization in ("f32", "q8_0"):
        splice(file, tmp_path / "bad.gguf", [], quantization, Changes(), quiet)
        with pytest.raises(
            TrainerError,
            match=rf"model\.gguf: llama\.cpp .* \d\S* off on average, .*\({export_check.LIMITS[quantization]}\)$",
        ):
            check_logits(tmp_path / "bad.gguf", quantization, lambda: samples(model))


@pytest.mark.parametrize("quantization", export_check.LIMITS)
def test_rounding_is_no_fault(tmp_path, base, quantization):
    model, merged = trained(base)
    path = export(base, tmp_path / "job", merged, quantization) / "model.gguf"
    found = check_logits(path, quantization, lambda: samples(model))
    assert found["mean_difference"] < found["limit"] / 3


def test_what_was_not_compared_is_said(tmp_path, base, monkeypatch):
    path = export(base, tmp_path / "job", NOTHING) / "model.gguf"
    never = lambda: pytest.fail("the model was asked")  # noqa: E731
    monkeypatch.setattr(export_check, "LARGEST_FILE", 10)
    assert "larger than" in check_logits(path, "f32", never)["reason"]
    monkeypatch.undo()
    monkeypatch.setattr(llama_cpp, "engine_version", lambda: None)
    assert check_logits(path, "f32", never) == {
        "compared": False,
        "reason": "the Python package xllamacpp is not installed",
    }
    monkeypatch.undo()
    path.write_bytes(b"GGUF no more")
    model = base.load_model(torch.float32, "cpu")
    assert "xllamacpp ended with" in check_logits(path, "f32", lambda: samples(model))["reason"]


def test_not_a_number_is_a_difference(tmp_path, base):
    path = export(base, tmp_path / "job", NOTHING) / "model.gguf"
    bad = Sample([1, 2, 3], np.full(base.info["vocab"], np.nan))
    with pytest.raises(TrainerError, match="nan off on average"):
        check_logits(path, "f32", lambda: [bad])


def test_what_nobody_foresaw_keeps_what_was_trained_and_says_where(tmp_path, base):
    def fail():
        raise KeyError("model.layers.0")
        yield

    with pytest.raises(TrainerError, match=r"Cannot write model\.gguf: KeyError: 'model\.layers\.0'") as caught:
        export(base, tmp_path / "job", fail)
    assert "trained weights are in artifacts/" in caught.value.hint
    assert caught.value.exit_code == 1
