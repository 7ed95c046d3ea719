"""Tiny random models of many architectures: each computes something that others do not."""

from pathlib import Path
from typing import Any

import tiny

SLIDING, FULL = "sliding_attention", "full_attention"
WINDOW = {"sliding_window": 8}
MIXED = WINDOW | {"layer_types": [SLIDING, FULL]}
LINEAR = {
    "layer_types": ["linear_attention", FULL],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
LOCAL_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
LATENT = {
    "q_lora_rank": 32,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 16,
    "v_head_dim": 16,
    "num_key_value_heads": 4,
}
GRANITE = {
    "logits_scaling": 8.0,
    "residual_multiplier": 0.22,
    "embedding_multiplier": 12.0,
    "attention_multiplier": 0.0625,
}
MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 16}
GEMMA4 = MIXED | {"global_head_dim": 16, "hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0}
TWO_SIZES = {
    "num_hidden_layers": 4,
    "layer_types": [SLIDING, FULL] * 2,
    "global_head_dim": 32,
    "hidden_size_per_layer_input": 16,
    "num_kv_shared_layers": 2,
}


def rope(kind: str, **parameters) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **parameters}}


LONGROPE = {"short_factor": [1.0] * 8, "long_factor": [4.0] * 8, "original_max_position_embeddings": 32}
HEADS = {"head_dim": 16}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama tied": ("llama", {"tie_word_embeddings": True}),
    "llama biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama yarn": ("llama", rope("yarn", factor=4.0, original_max_position_embeddings=128)),
    "llama dynamic": ("llama", rope("dynamic", factor=4.0)),
    "qwen2": ("qwen2", {}),
    "qwen2 windows": ("qwen2", WINDOW | {"use_sliding_window": True, "max_window_layers": 1}),
    "qwen3": ("qwen3", HEADS),
    "qwen3 moe": ("qwen3_moe", HEADS | EXPERTS),
    "qwen3 next": ("qwen3_next", HEADS | EXPERTS | LINEAR | {"shared_expert_intermediate_size": 64}),
    "qwen3.5": ("qwen3_5_text", HEADS | LINEAR),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral windows": ("mistral", WINDOW),
    "ministral3": ("ministral3", HEADS),
    "mixtral": ("mixtral", LOCAL_EXPERTS | {"sliding_window": None}),
    "phi": ("phi", {}),
    "phi3": ("phi3", {"sliding_window": None}),
    "phi3 windows": ("phi3", WINDOW),
    "phi3 longrope": (
        "phi3",
        rope("longrope", **LONGROPE) | {"sliding_window": None, "original_max_position_embeddings": 32},
    ),
    "gemma": ("gemma", HEADS),
    "gemma2": ("gemma2", HEADS | WINDOW | {"query_pre_attn_scalar": 16}),
    "gemma3": ("gemma3_text", HEADS | MIXED | {"query_pre_attn_scalar": 16}),
    "gemma4": ("gemma4_text", HEADS | GEMMA4),
    "gemma4 cap": ("gemma4_text", HEADS | GEMMA4 | {"final_logit_softcapping": 30.0}),
    "gemma4 two head sizes": ("gemma4_text", HEADS | GEMMA4 | TWO_SIZES),
    "olmo": ("olmo", {}),
    "olmo2": ("olmo2", {}),
    "olmo3": ("olmo3", MIXED),
    "granite": ("granite", GRANITE),
    "granite hybrid": (
        "granitemoehybrid",
        GRANITE
        | MAMBA
        | {"mamba_expand": 2, "num_local_experts": 0, "num_experts_per_tok": 0, "shared_intermediate_size": 128}
        | {"layer_types": ["mamba", "attention"]},
    ),
    "smollm3": ("smollm3", {"no_rope_layers": [1, 0]}),
    "lfm2": ("lfm2", {"block_multiple_of": 8, "layer_types": ["conv", FULL]}),
    "gpt-oss": ("gpt_oss", HEADS | MIXED | LOCAL_EXPERTS | rope("default")),
    "llama4": (
        "llama4_text",
        HEADS
        | {"intermediate_size_mlp": 128, "num_local_experts": 4, "num_experts_per_tok": 1}
        | {"attention_chunk_size": 8, "interleave_moe_layer_step": 1, "layer_types": ["chunked_attention", FULL]},
    ),
    "starcoder2": ("starcoder2", {"sliding_window": None}),
    "stablelm": ("stablelm", {}),
    "falcon": ("falcon", {"multi_query": True, "alibi": False}),
    "falcon alibi": ("falcon", {"multi_query": False, "alibi": True, "parallel_attn": False, "bias": True}),
    "falcon h1": (
        "falcon_h1",
        MAMBA | {"mamba_d_ssm": 128, "mamba_n_groups": 1, "lm_head_multiplier": 0.1, "embedding_multiplier": 5.0},
    ),
    "cohere": ("cohere", {"logit_scale": 0.0625}),
    "cohere2": ("cohere2", HEADS | MIXED | {"logit_scale": 0.25}),
    "gpt2": ("gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512}),
    "gpt-neox": ("gpt_neox", {}),
    "opt": ("opt", {"ffn_dim": 128, "word_embed_proj_dim": 64}),
    "bloom": ("bloom", {"n_layer": 2, "n_head": 4}),
    "mpt": ("mpt", {"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 512}),
    "mamba": ("mamba", {"state_size": 8}),
    "glm4": ("glm4", HEADS),
    "exaone4": ("exaone4", MIXED),
    "ernie 4.5": ("ernie4_5", HEADS),
    "hunyuan": ("hunyuan_v1_dense", HEADS),
    "nemotron": ("nemotron", {}),
    "deepseek v3": (
        "deepseek_v3",
        LATENT
        | {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
        | {"n_group": 1, "topk_group": 1, "first_k_dense_replace": 1},
    ),
    "seed-oss": ("seed_oss", HEADS),
    "minicpm3": ("minicpm3", LATENT),
    "recurrent gemma": (
        "recurrent_gemma",
        HEADS | {"lru_width": 64, "attention_window_size": 64, "block_types": ["recurrent", "attention"]},
    ),
    "jamba": (
        "jamba",
        {
            "mamba_d_state": 8,
            "num_experts": 1,
            "num_experts_per_tok": 1,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
        },
    ),
    "bert": ("bert", {"is_decoder": True}),
    "bert both ways": ("bert", {}),
    "bart": (
        "bart",
        {"d_model": 64, "encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128}
        | {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
    ),
}
"""By name: transformers' type of model, and what of its config differs from `SHAPE`."""

SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
}
DROPOUT = ("attn_pdrop", "resid_pdrop", "embd_pdrop", "dropout", "attention_dropout", "residual_dropout")
DROPOUT += ("hidden_dropout_prob", "attention_probs_dropout_prob", "activation_dropout")
"""What some leave out at random while they are trained, which hides how far two losses lie apart."""


def make(name: str, folder: Path) -> Path:
    """The model as a Hugging Face folder. Its weights are of a size at which every part of it shows in the losses."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, config = MODELS[name]
    folder.mkdir(parents=True)
    tokenizer = tiny.make_tokenizer(folder, kind)
    tokens = {
        "vocab_size": len(tokenizer),
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    usual = AutoConfig.for_model(kind)
    shape = {name: value for name, value in SHAPE.items() if name in config or hasattr(usual, name)}
    shape |= {name: 0.0 for name in DROPOUT if hasattr(usual, name)}
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape | tokens | config)).float()
    sharpen(model)
    model.save_pretrained(folder)
    return folder


def sharpen(model) -> None:
    import torch

    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.12)
            elif "sinks" in name:
                parameter.normal_(1, 1)
            elif not name.endswith(("A_log", "dt_bias", ".D")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
        tied = head is None or head.weight is embedding.weight
        embedding.weight.normal_(0, 0.35 if tied else 1)
        if not tied:
            head.weight.normal_(0, 0.35)
