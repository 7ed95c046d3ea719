"""Tensors of llama, qwen2 and qwen3: their names in GGUF and in Hugging Face, and how the rows are ordered."""

import re
from typing import Any

import numpy as np

ARCHITECTURES = ("llama", "qwen2", "qwen3")
WRITTEN_AS = {"mistral": "llama"}
"""Architectures that are another one by what they compute, where their attention has no window."""

GLOBAL = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ROPE_FACTORS = "rope_freqs.weight"
GGUF_LAYER = re.compile(r"blk\.(\d+)\.(\w+)\.(weight|bias)")
HF_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")


def hf_name(gguf: str) -> str | None:
    """None for a tensor these architectures do not have."""
    if found := GGUF_LAYER.fullmatch(gguf):
        layer, part, kind = found.groups()
        return f"model.layers.{layer}.{LAYER[part]}.{kind}" if part in LAYER else None
    return GLOBAL.get(gguf)


def gguf_name(hf: str) -> str | None:
    if found := HF_LAYER.fullmatch(hf):
        layer, part, kind = found.groups()
        name = next((gguf for gguf, other in LAYER.items() if other == part), None)
        return f"blk.{layer}.{name}.{kind}" if name else None
    return next((gguf for gguf, other in GLOBAL.items() if other == hf), None)


def expected_tensors(config: dict[str, Any]) -> list[str]:
    """The GGUF names of a model with this config, in the order files usually have them."""
    biased = _biased(config)
    parts = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"]
    if config["model_type"] == "qwen3":
        parts += ["attn_q_norm", "attn_k_norm"]
    parts += ["ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
    names = ["token_embd.weight", "output_norm.weight"]
    if not config["tie_word_embeddings"]:
        names.append("output.weight")
    for layer in range(config["num_hidden_layers"]):
        for part in parts:
            names.append(f"blk.{layer}.{part}.weight")
            if part in biased:
                names.append(f"blk.{layer}.{part}.bias")
    return names


def to_gguf_rows(name: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    """llama.cpp rotates neighbouring pairs where Hugging Face rotates halves: the rows of q and k change places.

    Without this a file loads and answers with plausible nonsense."""
    heads = _rotated_heads(name, config)
    if heads is None:
        return values
    return values.reshape(heads, 2, -1, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def to_hf_rows(name: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    """The inverse of `to_gguf_rows`."""
    heads = _rotated_heads(name, config)
    if heads is None:
        return values
    return values.reshape(heads, -1, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def changes_rows(name: str, config: dict[str, Any]) -> bool:
    """Whether rows have another place in GGUF."""
    return _rotated_heads(name, config) is not None


def _rotated_heads(name: str, config: dict[str, Any]) -> int | None:
    if config["model_type"] != "llama":
        return None
    part = name.split(".")[-2]
    return {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}.get(part)


def _biased(config: dict[str, Any]) -> set[str]:
    if config["model_type"] == "qwen2":
        return {"attn_q", "attn_k", "attn_v"}
    parts = set()
    if config.get("attention_bias"):
        parts |= {"attn_q", "attn_k", "attn_v", "attn_output"}
    if config.get("mlp_bias"):
        parts |= {"ffn_gate", "ffn_up", "ffn_down"}
    return parts
