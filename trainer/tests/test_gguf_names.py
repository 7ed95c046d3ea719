"""Names, rows, shapes and rotary scaling in both directions."""

import numpy as np
import pytest
from gguf.constants import MODEL_ARCH
from gguf.tensor_mapping import get_tensor_name_map
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.archs import architecture_of
from temper_trainer.errors import TrainerError
from temper_trainer.gguf.rope import rope_factors, rope_metadata, shortest

ARCHES = {"llama": MODEL_ARCH.LLAMA, "qwen2": MODEL_ARCH.QWEN2, "qwen3": MODEL_ARCH.QWEN3}


def config(arch: str, **more) -> dict:
    shape = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}
    return {"model_type": arch} | shape | more


LLAMA = architecture_of("llama")


@pytest.mark.parametrize("arch", ARCHES)
def test_names_agree_with_the_gguf_package(arch):
    table = get_tensor_name_map(ARCHES[arch], 2)
    known = architecture_of(arch)
    names = known.tensors(config(arch, attention_bias=True, mlp_bias=True))
    for name in names:
        hf = known.hf_name(name)
        assert known.gguf_name(hf) == name
        assert table.get_name(hf, (".weight", ".bias")) == name
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["blk.0.ffn_gate_exps.weight", "blk.x.attn_q.weight", "rope_freqs.weight", ""])
def test_hf_name_knows_no_other_tensor(name):
    assert LLAMA.hf_name(name) is None


def test_gguf_name_knows_no_other_tensor():
    assert LLAMA.gguf_name("model.layers.0.self_attn.rotary_emb.inv_freq") is None


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 6))
def test_rows_come_back(heads, half, columns):
    shape = (heads * 2 * half, columns) if columns else (heads * 2 * half,)
    values = np.arange(np.prod(shape)).reshape(shape)
    shaped = config("llama", num_attention_heads=heads)
    there = LLAMA.to_gguf_rows("blk.0.attn_q.weight", values, shaped)
    assert np.array_equal(LLAMA.to_hf_rows("blk.0.attn_q.weight", there, shaped), values)


def test_rows_of_llama_pair_the_halves_of_each_head():
    rows = np.arange(16)
    moved = LLAMA.to_gguf_rows("blk.1.attn_q.bias", rows, config("llama", num_attention_heads=2))
    assert moved.tolist() == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]
    keys = LLAMA.to_gguf_rows("blk.1.attn_k.weight", rows, config("llama", num_key_value_heads=1))
    assert keys.tolist() == [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]


@pytest.mark.parametrize(("arch", "name"), [("qwen2", "attn_q"), ("qwen3", "attn_k"), ("llama", "attn_v")])
def test_other_rows_stay(arch, name):
    rows = np.arange(16)
    assert architecture_of(arch).to_gguf_rows(f"blk.0.{name}.weight", rows, config(arch)) is rows


def test_rope_factors_are_those_of_transformers():
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0}
    rope |= {"high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    wanted, _ = ROPE_INIT_FUNCTIONS["llama3"](LlamaConfig(head_dim=64, rope_parameters=dict(rope)), "cpu")
    plain = 500000.0 ** (-np.arange(0, 64, 2) / 64)
    np.testing.assert_allclose(plain / rope_factors(rope, 64), wanted.numpy(), rtol=1e-5)
    assert rope_factors({"rope_type": "default", "rope_theta": 1.0}, 64) is None


@pytest.mark.parametrize(
    ("rope", "words"),
    [
        ({"rope_type": "dynamic", "factor": 2.0}, '"dynamic"'),
        ({"rope_type": "yarn", "factor": 2.0, "attention_factor": 0.5}, "attention_factor"),
    ],
)
def test_rope_metadata_refuses_what_gguf_cannot_say(rope, words):
    with pytest.raises(TrainerError, match=words):
        rope_metadata("llama", {"rope_theta": 10000.0} | rope)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_shortest_is_the_same_number(number):
    assert np.float32(shortest(number)) == np.float32(number)
