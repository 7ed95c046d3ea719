"""K-quants beside those of llama.cpp: the types it chooses, its error, and what it reads back."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import tiny
import torch
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize
from hypothesis import given
from hypothesis import strategies as st
from sharp import make_sharp
from test_export import distance, export, from_gguf, quiet, trained

from temper_trainer.bases.base import prepare_base
from temper_trainer.gguf.k_quants import quantize_k
from temper_trainer.gguf.mixes import MIXES, Mix
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.types import Q4_K, Q5_K, Q6_K

QUANTIZE = os.environ.get("TEMPER_TEST_LLAMA_QUANTIZE") or shutil.which("llama-quantize")
with_llama_quantize = pytest.mark.skipif(QUANTIZE is None, reason="TEMPER_TEST_LLAMA_QUANTIZE names no llama-quantize")
NOT_MORE = 1.05
"""Of llama-quantize's own error."""
ROUNDED = 1.0
"""llama.cpp multiplies blocks by activations of 8 bits."""
STEPS = {Q4_K: 15, Q5_K: 31, Q6_K: 63}


def read(data: np.ndarray, kind: int, row: int) -> np.ndarray:
    size = {Q4_K: 144, Q5_K: 176, Q6_K: 210}[kind] * row // 256
    return dequantize(data.reshape(-1, size), GGMLQuantizationType(kind))


@pytest.mark.parametrize("kind", STEPS)
@given(seed=st.integers(0, 2**16), spread=st.sampled_from([1e-3, 0.02, 300.0]), shift=st.sampled_from([0.0, 2.0]))
def test_values_are_read_back_within_a_step(kind, seed, spread, shift):
    """Whatever the values: of one sign, tiny, large, with groups of zeros."""
    values = np.random.default_rng(seed).standard_normal((3, 512)).astype(np.float32) * spread + shift * spread
    values[1, :256] = 0
    values[2, 32:64] = 0
    found = read(quantize_k(values, kind), kind, 512)
    assert not found[1, :256].any()
    spans = np.abs(values.reshape(-1, 256)).max(1, keepdims=True) * (2 if kind == Q6_K else 1) + np.ptp(values)
    assert (np.abs(found - values).reshape(-1, 256) <= spans / STEPS[kind]).all()


@pytest.mark.parametrize("kind", STEPS)
def test_bytes_do_not_depend_on_the_number_of_threads(kind, monkeypatch):
    values = np.random.default_rng(0).standard_normal((700, 256)).astype(np.float32)
    whole = quantize_k(values, kind)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert np.array_equal(whole, quantize_k(values, kind))


@pytest.fixture(scope="module", params=[{"tied": True}, {"tied": False, "hidden_size": 288}], ids=["tied", "narrow"])
def layers(request, tmp_path_factory):
    """A base of eleven layers whose rows K-quants fit, or of rows that they do not, as an f16 file."""
    work = tmp_path_factory.mktemp("layers")
    shape = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 11, "num_key_value_heads": 2}
    folder = make_sharp(work / "hf", "llama", **(shape | request.param))
    base = prepare_base(tiny.folder_base(folder), work / "cache", quiet)
    return base, export(base, work / "f16", lambda: iter(()), "f16") / "model.gguf"


@with_llama_quantize
@pytest.mark.parametrize("mix", MIXES)
def test_types_and_errors_are_those_of_llama_quantize(layers, tmp_path, mix):
    base, plain = layers
    subprocess.run([QUANTIZE, plain, tmp_path / "theirs.gguf", mix.upper(), "1"], check=True, capture_output=True)
    theirs = GgufFile(tmp_path / "theirs.gguf")
    ours = GgufFile(export(base, tmp_path / "ours", lambda: iter(()), mix) / "model.gguf")
    assert {name: tensor.type for name, tensor in ours.tensors.items()} == {
        name: tensor.type for name, tensor in theirs.tensors.items()
    }
    assert ours.get("general.file_type") == theirs.get("general.file_type")
    source = GgufFile(plain)
    for name, tensor in ours.tensors.items():
        if tensor.type in STEPS:
            wanted = source.values(name)
            error, least = (np.square(file.values(name) - wanted).sum() for file in (ours, theirs))
            assert error <= NOT_MORE**2 * least, f"{name}: {np.sqrt(error / least):.3f} of the error"


@pytest.mark.parametrize("mix", MIXES)
def test_llama_cpp_reads_what_was_written(tmp_path, mix):
    """The base of the file itself has the values that its blocks stand for."""
    folder = make_sharp(tmp_path / "hf", "llama", hidden_size=256, intermediate_size=512)
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    path = export(base, tmp_path / "job", trained(base)[1], mix) / "model.gguf"
    read = from_gguf(path, tmp_path / "read")
    found = distance(path, read.load_model(torch.float32, "cpu"), read)
    print(found)
    assert found < ROUNDED


def test_blocks_of_the_base_keep_their_bytes(layers, tmp_path):
    base, _ = layers
    small = from_gguf(export(base, tmp_path / "small", lambda: iter(()), "q4_k_m") / "model.gguf", tmp_path / "cache")
    _, merged = trained(small, "v_proj")
    before = GgufFile(small.source_gguf)
    after = GgufFile(export(small, tmp_path / "job", merged, "q4_k_m") / "model.gguf")
    for name in after.tensors:
        same = after.data(name).tobytes() == before.data(name).tobytes()
        assert same != ("attn_v" in name), name


def test_eight_experts_have_more_bits():
    names = {"ffn_down_exps": (8, 256, 512), "attn_v": (64, 256), "attn_k": (64, 256), "attn_output": (256, 256)}
    shapes = {f"blk.{layer}.{name}.weight": shape for layer in range(8) for name, shape in names.items()}
    mix = Mix("q4_k_m", shapes | {"output.weight": (300, 256), "blk.0.ffn_gate_inp.weight": (8, 256)})
    found = [mix.type(f"blk.1.{name}.weight") for name in names]
    assert found == [Q4_K, 8, 8, Q5_K]
    assert mix.type("blk.0.ffn_gate_inp.weight") is None
