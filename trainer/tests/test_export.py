"""Exports, judged by llama.cpp."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from llama_cpp import LlamaCpp, hf_log_probs
from safetensors.torch import load_file, save_file
from sharp import LINEAR_ROPE, LLAMA3_ROPE, YARN_ROPE, make_sharp, say_tied

from temper_trainer.archs import architecture_of
from temper_trainer.archs.architecture import Architecture
from temper_trainer.bases.base import Base, prepare_base
from temper_trainer.data.linear_template import render_prompt
from temper_trainer.errors import TrainerError
from temper_trainer.export.export import check_gguf, export_model
from temper_trainer.export.merge import Merge
from temper_trainer.files import file_sha256, folder_sha256
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.from_hf import write_from_hf
from temper_trainer.gguf.jinja import chat_template
from temper_trainer.gguf.reader import GgufFile, tensor_bytes
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.types import Q4_K
from temper_trainer.gguf.values import Value, string, u32
from temper_trainer.gguf.writer import GgufWriter
from temper_trainer.job.settings import Template, Turn

EXACT = 1e-3
NOISE = {"f32": EXACT, "f16": 0.02, "bf16": 0.15, "q8_0": 0.5, "q4_0": 4.0}
"""Largest difference of a log-probability; measured on these bases, times three."""
RANDOM = np.random.default_rng(0)
PROMPTS = [RANDOM.integers(0, 300, length).tolist() for length in (1, 7, 60, 250)]
TEMPLATE = tiny.CHATML


@dataclass
class Export:
    gguf: bool = True
    quantization: str = "f32"
    merged: bool = False


@dataclass(frozen=True)
class Method:
    kind: str = "lora"


@dataclass
class Job:
    export: Export
    name: str = "tiny-lora"
    method: Method = Method()


def quiet(*_):
    pass


def trained(base: Base, only: str = "_proj"):
    """A model with changed linear layers, and the pass over what was changed."""
    model = base.load_model(torch.float32, "cpu")
    generator = torch.Generator().manual_seed(2)
    changed = [name for name, _ in model.named_parameters() if only in name and name.endswith("weight")]
    with torch.no_grad():
        for name in changed:
            tensor = model.get_parameter(name)
            tensor += torch.randn(tensor.shape, generator=generator) * tensor.std() * 0.2
    return model, lambda: ((name, model.get_parameter(name)) for name in changed)


def export(base: Base, folder: Path, changed, quantization: str = "f32", **options) -> Path:
    folder.mkdir()
    (folder / "tokens.json").write_text(json.dumps({"template": TEMPLATE}))
    check_gguf(base, quantization)
    merge = changed if isinstance(changed, Merge) else Merge(changed)
    export_model(Job(Export(quantization=quantization, **options)), folder, base, merge, quiet)
    return folder / "artifacts"


def distance(path: Path, model, base: Base) -> float:
    judge = LlamaCpp(path)
    return max(np.abs(judge.log_probs(p, base.info["vocab"]) - hf_log_probs(model, p)).max() for p in PROMPTS)


CASES = {
    "llama tied": ("llama", {"tied": True}),
    "llama biases": ("llama", {"tied": False, "attention_bias": True, "mlp_bias": True}),
    "llama wide heads": ("llama", {"head_dim": 32}),
    "llama llama3": ("llama", {"rope_parameters": LLAMA3_ROPE, "max_position_embeddings": 16384}),
    "llama linear": ("llama", {"rope_parameters": LINEAR_ROPE}),
    "qwen2 tied": ("qwen2", {"tied": True}),
    "qwen2 yarn": ("qwen2", {"tied": False, "rope_parameters": YARN_ROPE}),
    "qwen3 tied": ("qwen3", {"tied": True}),
    "qwen3 untied": ("qwen3", {"tied": False}),
    "mistral": ("mistral", {"tied": False, "head_dim": 32, "sliding_window": None}),
    "llama own head": ("llama", {"tied": False, "says tied": True}),
    "qwen2 own head": ("qwen2", {"tied": False, "says tied": True}),
}


IN_EVERY_TYPE = {"llama wide heads", "qwen2 yarn", "qwen3 tied"}
"""The others are judged in fp32 alone: types do not depend on the shape."""


@pytest.fixture(scope="module", params=CASES)
def case(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def base(case, tmp_path_factory) -> Base:
    work = tmp_path_factory.mktemp("base")
    arch, options = CASES[case]
    options = {key: dict(value) if isinstance(value, dict) else value for key, value in options.items()}
    says_tied = options.pop("says tied", False)
    folder = make_sharp(work / "hf", arch, **options)
    return prepare_base(tiny.folder_base(say_tied(folder) if says_tied else folder), work / "cache", quiet)


def from_gguf(path: Path, cache: Path) -> Base:
    return prepare_base({"kind": "gguf", "path": str(path), "sha256": file_sha256(path)}, cache, quiet)


def test_export_of_a_folder_base_gives_the_trained_model(tmp_path, case, base):
    model, merged = trained(base)
    for quantization in NOISE if case in IN_EVERY_TYPE else ["f32"]:
        folder = export(base, tmp_path / quantization, merged, quantization)
        assert distance(folder / "model.gguf", model, base) < NOISE[quantization], quantization


def test_export_of_its_own_export_gives_the_trained_model(tmp_path, base):
    """Folder to GGUF, that GGUF as base, trained, spliced."""
    untouched = export(base, tmp_path / "first", lambda: iter(()))
    again = from_gguf(untouched / "model.gguf", tmp_path / "cache")
    assert again.info["arch"] == architecture_of(base.info["arch"]).gguf
    for key in base.info.keys() - {"key", "chat_template", "arch"}:
        assert again.info[key] == base.info[key], key
    copied = export(again, tmp_path / "second", lambda: iter(()))
    assert file_sha256(copied / "model.gguf") == file_sha256(untouched / "model.gguf")
    model, merged = trained(again)
    assert distance(export(again, tmp_path / "third", merged) / "model.gguf", model, base) < EXACT


@pytest.mark.parametrize("arch", ["llama", "qwen3"])
def test_every_weight_of_a_base_with_its_own_head_is_exported(tmp_path, arch):
    """What `full` hands over: the head comes apart from the embedding, though config.json ties them."""
    folder = say_tied(make_sharp(tmp_path / "hf", arch, tied=False))
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    model, merged = trained(base, "")
    found = export(base, tmp_path / "job", merged, merged=True)
    assert distance(found / "model.gguf", model, base) < EXACT
    again = prepare_base(tiny.folder_base(found / "merged"), tmp_path / "other", quiet).load_model(torch.float32, "cpu")
    assert all(torch.equal(again.get_parameter(name), tensor) for name, tensor in model.named_parameters())


@pytest.mark.parametrize(("dtype", "quantization"), [(torch.float16, "f16"), (torch.bfloat16, "bf16")])
def test_halves_of_a_folder_base_keep_their_bits(tmp_path, dtype, quantization):
    folder = make_sharp(tmp_path / "hf", "llama")
    path = folder / "model.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in load_file(path).items()}, path, {"format": "pt"})
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    whole = export(base, tmp_path / "whole", lambda: iter(())) / "model.gguf"
    halves = GgufFile(export(base, tmp_path / "halves", lambda: iter(()), quantization) / "model.gguf")
    assert distance(whole, base.load_model(torch.float32, "cpu"), base) < EXACT
    for name in halves.tensors:
        assert np.array_equal(halves.values(name), GgufFile(whole).values(name)), name


def test_rows_left_in_place_are_noticed(tmp_path, tiny_llama, monkeypatch):
    """The judge must be able to see the mistake it is there for."""
    base = prepare_base(tiny.folder_base(make_sharp(tmp_path / "hf", "llama")), tmp_path / "cache", quiet)
    model, merged = trained(base)
    monkeypatch.setattr(Architecture, "_rotated", lambda *_: None)
    assert distance(export(base, tmp_path / "job", merged) / "model.gguf", model, base) > 0.5


def sharp_gguf(work: Path, quantization: str) -> Base:
    folder = make_sharp(work / "hf", "llama", tied=False)
    base = prepare_base(tiny.folder_base(folder), work / "cache", quiet)
    exported = export(base, work / "source", lambda: iter(()), quantization)
    return from_gguf(exported / "model.gguf", work / "cache")


def types(file: GgufFile) -> dict[str, int]:
    return {name: tensor.type for name, tensor in file.tensors.items() if len(tensor.shape) > 1}


def test_untouched_blocks_keep_their_bytes(tmp_path):
    base = sharp_gguf(tmp_path, "q4_0")
    model, merged = trained(base, "v_proj")
    before = GgufFile(base.source_gguf)
    after = GgufFile(export(base, tmp_path / "job", merged, "q8_0") / "model.gguf")
    for name, kind in types(after).items():
        if "attn_v" in name:
            assert kind == 8
            wanted = model.get_parameter(architecture_of("llama").hf_name(name)).detach().numpy()
            assert np.abs(after.values(name) - wanted).max() < np.abs(wanted).max() / 127
        else:
            assert after.data(name).tobytes() == before.data(name).tobytes(), name
    assert after.get("general.file_type") == 2
    whole = GgufFile(export(base, tmp_path / "whole", merged, "bf16") / "model.gguf")
    assert set(types(whole).values()) == {30}
    assert whole.get("general.file_type") == 32


Q2_K, U64 = 10, Value(10, (21).to_bytes(8, "little"))


@pytest.mark.parametrize(
    ("number", "kept", "expected"),
    [
        (u32(21), Q2_K, 21),
        (U64, Q2_K, 21),
        (string("Q2"), Q2_K, None),
        (None, Q2_K, None),
        (None, 2, None),
        (u32(14), Q4_K, 14),
        (u32(0), Q4_K, 15),
    ],
)
def test_file_type_is_the_base_s_own_where_most_values_are_its_blocks(tmp_path, number, kept, expected):
    kv = {"general.architecture": string("llama")} | ({"general.file_type": number} if number else {})
    name, data = "blk.0.ffn_up.weight", np.zeros(tensor_bytes("", [256, 4], kept), np.uint8)
    with GgufWriter(tmp_path / "base.gguf", kv, {name: (4, 256), "blk.0.attn_v.weight": (1, 256)}) as out:
        out.write(name, kept, [data])
        out.write("blk.0.attn_v.weight", 0, [np.ones((1, 256), np.float32)])
    replaced = [("blk.0.attn_v.weight", np.ones((1, 256), np.float32))]
    splice(GgufFile(tmp_path / "base.gguf"), tmp_path / "after.gguf", replaced, "q8_0", Changes(), quiet)
    assert GgufFile(tmp_path / "after.gguf").get("general.file_type") == expected


def test_unquantised_base_is_quantised_whole(tmp_path):
    base = sharp_gguf(tmp_path, "f16")
    _, merged = trained(base, "v_proj")
    found = types(GgufFile(export(base, tmp_path / "q8", merged, "q8_0") / "model.gguf"))
    assert set(found.values()) == {8}
    found = types(GgufFile(export(base, tmp_path / "q4", merged, "q4_0") / "model.gguf"))
    assert {name for name, kind in found.items() if kind == 8} == {"token_embd.weight", "output.weight"}
    assert set(found.values()) == {2, 8}


def test_file_carries_the_template_that_was_trained(tmp_path, tiny_llama):
    base = prepare_base(tiny.folder_base(tiny_llama), tmp_path / "cache", quiet)
    path = export(base, tmp_path / "job", lambda: iter(())) / "model.gguf"
    file = GgufFile(path)
    assert file.get("tokenizer.chat_template") == chat_template(TEMPLATE)
    assert file.get("general.name") == "tiny-lora"
    assert file.get("temper.method") == "lora"
    messages = [*tiny.conversation(' "quoted" \\n {{ x }} 東京', "fine"), {"role": "user", "content": "more"}]
    turns = {role: Turn(**turn) for role, turn in TEMPLATE["turns"].items()}
    assert LlamaCpp(path).apply_template(messages) == render_prompt(Template(**TEMPLATE | {"turns": turns}), messages)


def test_named_templates_of_the_base_do_not_stay(tmp_path, tiny_llama):
    base = prepare_base(tiny.folder_base(tiny_llama), tmp_path / "cache", quiet)
    named = {f"tokenizer.chat_template{suffix}": string("{{ 1 }}") for suffix in ("", ".tool_use")}
    write_from_hf(base.dir, tmp_path / "a.gguf", [], "f32", Changes(named), quiet)
    again = from_gguf(tmp_path / "a.gguf", tmp_path / "cache")
    file = GgufFile(export(again, tmp_path / "job", lambda: iter(())) / "model.gguf")
    found = {key: file.get(key) for key in file.kv if "chat_template" in key}
    assert found == {"tokenizer.chat_template": chat_template(TEMPLATE)}


def test_merged_folder_is_the_trained_model(tmp_path, tiny_qwen2):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = Path(shutil.copytree(tiny_qwen2, tmp_path / "base"))
    config = json.loads((source / "tokenizer_config.json").read_text())
    (source / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": "{{ 1 }}"}))
    base = prepare_base(tiny.folder_base(source), tmp_path / "cache", quiet)
    model, merged = trained(base)
    folder = export(base, tmp_path / "job", merged, merged=True, gguf=False) / "merged"
    assert not (folder.parent / "model.gguf").exists()
    found = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == chat_template(TEMPLATE)
    assert tokenizer("on 12").input_ids == base.tokenizer()("on 12").input_ids
    assert "chat_template" not in json.loads((folder / "tokenizer_config.json").read_text())
    again = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    assert again.info["chat_template"] == chat_template(TEMPLATE)


def test_artifacts_are_named_with_their_digests(tmp_path, tiny_llama):
    base = prepare_base(tiny.folder_base(tiny_llama), tmp_path / "cache", quiet)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "Modelfile").write_text("FROM ./model.gguf\n")
    job = Job(Export(merged=True))
    first = export_model(job, tmp_path / "job", base, Merge(trained(base)[1]), quiet).artifacts
    folder = tmp_path / "job" / "artifacts"
    assert [(item["kind"], item["path"]) for item in first] == [
        ("gguf", "artifacts/model.gguf"),
        ("modelfile", "artifacts/Modelfile"),
        ("merged", "artifacts/merged"),
    ]
    assert first[0]["sha256"] == file_sha256(folder / "model.gguf")
    assert first[0]["bytes"] == (folder / "model.gguf").stat().st_size
    assert first[2]["sha256"] == folder_sha256(folder / "merged")
    assert export_model(job, tmp_path / "job", base, Merge(trained(base)[1]), quiet).artifacts == first
    assert sorted(path.name for path in folder.iterdir()) == ["Modelfile", "merged", "model.gguf"]


@pytest.mark.parametrize(
    ("value", "quantization", "words"),
    [(float("nan"), "f32", "not finite"), (1e5, "f16", "as f16: it has values above 65504")],
)
def test_values_that_do_not_fit_are_refused(tmp_path, tiny_llama, value, quantization, words):
    base = prepare_base(tiny.folder_base(tiny_llama), tmp_path / "cache", quiet)
    name = "model.layers.1.mlp.up_proj.weight"
    broken = torch.full((128, 64), value)
    with pytest.raises(TrainerError, match=words) as caught:
        export(base, tmp_path / "job", lambda: iter([(name, broken)]), quantization)
    assert "blk.1.ffn_up.weight" in caught.value.message
    assert caught.value.exit_code == 1
    assert not (tmp_path / "job" / "artifacts" / "model.gguf").exists()


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("lm_head.weight", (400, 64), "no such tensor"),
        ("model.norm.weight", (32,), r"shape \(32,\) is not \(64,\)"),
        ("model.other.weight", (1,), r'"model\.other\.weight": GGUF has no name'),
    ],
)
def test_tensors_the_base_does_not_have_are_refused(tmp_path, tiny_llama, name, shape, words):
    base = prepare_base(tiny.folder_base(tiny_llama), tmp_path / "cache", quiet)
    with pytest.raises(TrainerError, match=words):
        export(base, tmp_path / "job", lambda: iter([(name, torch.zeros(shape))]))


def test_check_export_refuses_before_training(tmp_path):
    windows = tiny.make_base(tmp_path / "windows", "mistral", sliding_window=8)
    with pytest.raises(TrainerError, match="its attention has sliding windows"):
        check_gguf(prepare_base(tiny.folder_base(windows), tmp_path / "cache", quiet), "f16")
    odd = tiny.make_base(tmp_path / "odd", "llama", hidden_size=48)
    base = prepare_base(tiny.folder_base(odd), tmp_path / "cache", quiet)
    check_gguf(base, "f16")
    with pytest.raises(TrainerError, match=r'as "q8_0": rows of 48 values \(hidden\)'):
        check_gguf(base, "q8_0")
    dynamic = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    for changes, words in [({"rope_parameters": dynamic}, '"dynamic"'), ({"hidden_act": "gelu"}, '"gelu" is not silu')]:
        folder = tiny.make_base(tmp_path / words.strip('"')[:4], "llama", **changes)
        base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
        with pytest.raises(TrainerError, match=words) as caught:
            check_gguf(base, "f32")
        assert "export.merged to true" in caught.value.hint


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what memory is mapped")
def test_export_of_a_large_model_needs_little_memory(tmp_path):
    """Above the mapped input, less than 2 GB for 8 billion weights."""
    if shutil.disk_usage(tmp_path).free < 20e9:
        pytest.skip("needs 20 GB of disk")
    script = Path(__file__).with_name("large_export.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2e9
