"""What each method leaves in a GGUF file, judged by llama.cpp against the model that was trained."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
import transformers
from llama_cpp import LlamaCpp, hf_log_probs
from sharp import make_sharp
from test_export import EXACT, NOISE, PROMPTS, distance, export, from_gguf, quiet, types

from temper_trainer.bases.base import prepare_base
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.job.settings import Adapter, Full, Qlora
from temper_trainer.methods import attach, load
from temper_trainer.training.device import Environment
from temper_trainer.training.random_state import RandomState

BASES = [(arch, tied) for arch in ("llama", "qwen2", "qwen3") for tied in (True, False)]
METHODS = {
    "full": Full("full"),
    "qlora": Qlora(kind="qlora", **tiny.LOW_RANK | {"alpha": 8.0}),
    "adapter": Adapter("adapter", 32),
}
CPU = Environment("", "cpu", "fp32", 1)


class Job:
    def __init__(self, method):
        self.method = method


@pytest.fixture(scope="module", params=BASES, ids=lambda base: f"{base[0]}-{'tied' if base[1] else 'untied'}")
def base(request, tmp_path_factory):
    arch, tied = request.param
    work = tmp_path_factory.mktemp("base")
    return prepare_base(tiny.folder_base(make_sharp(work / "hf", arch, tied=tied)), work / "cache", quiet)


def trained(base, kind: str):
    """Every trained number moved, as if by training."""
    job = Job(METHODS[kind])
    method = attach(job, load(job, base, CPU), RandomState(1, "cpu"), lambda text: [])
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in method.parameters().values():
            size = tensor.std() * 0.4 if kind == "full" else 0.1
            tensor += torch.randn(tensor.shape, generator=generator) * size
    method.model.eval()
    return method


@pytest.mark.parametrize("kind", METHODS)
def test_export_of_a_method_answers_as_it_was_trained(tmp_path, base, kind):
    method = trained(base, kind)
    original = base.load_model(torch.float32, "cpu")
    moved = max(np.abs(hf_log_probs(method.model, p) - hf_log_probs(original, p)).max() for p in PROMPTS)
    for quantization in ("f32", "q8_0"):
        folder = export(base, tmp_path / quantization, method.merge(None), quantization)
        assert distance(folder / "model.gguf", method.model, base) < NOISE[quantization], quantization
    assert moved > 2 * NOISE["q8_0"]


@pytest.mark.parametrize("kind", METHODS)
def test_export_of_a_method_over_a_quantised_base(tmp_path, base, kind):
    """The usual case: the base is a GGUF file of blocks."""
    packed = export(base, tmp_path / "packed", lambda: iter(()), "q8_0") / "model.gguf"
    again = from_gguf(packed, tmp_path / "cache")
    method = trained(again, kind)
    exact = export(again, tmp_path / "f32", method.merge(None), "f32") / "model.gguf"
    assert distance(exact, method.model, again) < NOISE["f32"]
    small = GgufFile(export(again, tmp_path / "q8_0", method.merge(None), "q8_0") / "model.gguf")
    assert types(small) == types(GgufFile(packed))
    touched = {name for name in types(small) if small.data(name).tobytes() != GgufFile(packed).data(name).tobytes()}
    linear = {name for name in types(small) if name.startswith("blk.") and "norm" not in name}
    wider = {name for name in linear if "ffn" in name}
    assert touched == {"full": set(types(small)), "qlora": linear, "adapter": wider}[kind]


def test_a_stale_width_is_noticed(tmp_path, base):
    """The judge must be able to see the mistake it is there for."""
    method = trained(base, "adapter")
    merge = method.merge(None)
    with pytest.raises(RuntimeError):
        LlamaCpp(export(base, tmp_path / "stale", replace(merge, config={})) / "model.gguf")
    path = export(base, tmp_path / "right", merge) / "model.gguf"
    assert GgufFile(path).get(f"{base.info['arch']}.feed_forward_length") == 128 + 32


def test_a_merged_folder_of_a_wider_model_loads(tmp_path, base):
    method = trained(base, "adapter")
    folder = export(base, tmp_path / "job", method.merge(None), merged=True, gguf=False) / "merged"
    found = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert found.config.intermediate_size == 128 + 32
    for prompt in PROMPTS:
        np.testing.assert_allclose(hf_log_probs(found, prompt), hf_log_probs(method.model, prompt), atol=EXACT)
