"""K-quants beside those of llama.cpp: the types it chooses, its error, and what it reads back."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

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
from temper_trainer.errors import TrainerError
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.k_quants import quantize_k
from temper_trainer.gguf.mixes import MIXES, Mix
from temper_trainer.gguf.quantize import quantize
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice
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
@pytest.mark.parametrize("value", [1e-14, 1e-15, 1e-21, 1e-22, 1e-23, 1e-39])
def test_tiny_values_leave_the_others_as_they_are(kind, value):
    random = np.random.default_rng(0).standard_normal((1, 256)).astype(np.float32)
    values = np.concatenate([random, np.full((2, 256), value, np.float32)])
    values[1, ::3] = 0
    values[2, ::2] *= -1
    values[0, :32] = values[1, :32]
    found = read(quantize_k(values, kind), kind, 256)
    assert not found[0, :32].any() and not found[1:].any()
    assert (np.abs(found - values) <= 2 * np.ptp(values) / STEPS[kind]).all()


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("value", [1e10, 1e15, 1e30, 3e38])
def test_values_too_large_for_a_scale_are_refused(kind, value):
    random = np.random.default_rng(0).standard_normal((1, 256)).astype(np.float32)
    for values in (random * np.float32(value / 10), np.full((1, 256), -value, np.float32)):
        with pytest.raises(TrainerError, match=r'tensor "blk\.0\.ffn_up\.weight" as q\d_k') as raised:
            quantize("blk.0.ffn_up.weight", values, kind)
        assert raised.value.code == "not_finite"


def alike(spread: float) -> np.ndarray:
    """Groups of 32 values that are equal, or nearly: of either sign, beside others, and the only ones of a block."""
    random = np.random.default_rng(0)
    levels = random.choice([-3.0, -0.5, -0.02, 0.02, 0.5, 3.0], (64, 16, 1))
    levels[:8], levels[8:16] = -0.4, 0.4
    values = levels * (1 + spread * random.uniform(-0.5, 0.5, (64, 16, 32)))
    values[16:32, ::3] = random.standard_normal((16, 6, 32))
    return values.reshape(64, 512).astype(np.float32)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("spread", [0, 1e-7, 1e-5, 1e-3, 0.01, 0.05])
def test_values_that_are_alike_are_read_back(kind, spread):
    values = alike(spread)
    found = read(quantize_k(values, kind), kind, 512)
    groups, errors = values.reshape(-1, 8, 32), np.abs(found - values).reshape(-1, 8, 32)
    same = np.ptp(groups, 2) < 0.1 * np.abs(groups).max(2)
    # A group's scale and minimum are 63rds of the block's largest, or 128ths, so that each is half of one off
    allowed = np.abs(groups).max((1, 2), keepdims=True) / 50 + np.abs(groups) / (31 if kind == Q6_K else STEPS[kind])
    assert same.sum() > 400 and (errors <= allowed)[same].all()


@pytest.mark.parametrize("kind", STEPS)
def test_bytes_do_not_depend_on_the_number_of_threads(kind, monkeypatch):
    values = np.random.default_rng(0).standard_normal((700, 256)).astype(np.float32)
    whole = quantize_k(values, kind)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    assert np.array_equal(whole, quantize_k(values, kind))


def test_threads_to_come_compute_with_as_many_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        quantize_k(np.ones((1, 256), np.float32), Q4_K)
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


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


@with_llama_quantize
@pytest.mark.parametrize("spread", [0, 0.01])
@pytest.mark.parametrize("mix", ["q4_k_m", "q5_k_m"])
def test_values_that_are_alike_have_the_error_of_llama_quantize(layers, tmp_path, mix, spread):
    name, values = "blk.1.ffn_down.weight", np.tile(alike(spread), (8, 1))
    source, plain = GgufFile(layers[1]), tmp_path / "plain.gguf"
    values = values[: source.tensors[name].shape[0]]
    splice(source, plain, [(name, values)], "f32", Changes(), quiet)
    subprocess.run([QUANTIZE, plain, tmp_path / "theirs.gguf", mix.upper(), "1"], check=True, capture_output=True)
    theirs = GgufFile(tmp_path / "theirs.gguf")
    kind = theirs.tensors[name].type
    ours = read(quantize_k(values, kind), kind, 512)
    error, least = (np.square(found - values).sum() for found in (ours, theirs.values(name)))
    assert kind == MIXES[mix] and error <= NOT_MORE**2 * least, f"{np.sqrt(error / least):.3f} of the error"


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
    assert after.get("general.file_type") == 15
    eight = GgufFile(export(small, tmp_path / "eight", merged, "q8_0") / "model.gguf")
    assert eight.tensors["blk.0.attn_v.weight"].type == 8
    assert eight.get("general.file_type") == 15


def test_eight_experts_have_more_bits():
    names = {"ffn_down_exps": (8, 256, 512), "attn_v": (64, 256), "attn_k": (64, 256), "attn_output": (256, 256)}
    shapes = {f"blk.{layer}.{name}.weight": shape for layer in range(8) for name, shape in names.items()}
    mix = Mix("q4_k_m", shapes | {"output.weight": (300, 256), "blk.0.ffn_gate_inp.weight": (8, 256)})
    found = [mix.type(f"blk.1.{name}.weight") for name in names]
    assert found == [Q4_K, 8, 8, Q5_K]
    assert mix.type("blk.0.ffn_gate_inp.weight") is None
