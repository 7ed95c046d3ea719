"""Qwen3: a norm for the queries and one for the keys of every head."""

from .architecture import NO_WINDOWS, SILU, Architecture, Requirement
from .parts import ATTENTION_NORM, HEAD_NORMS, MLP_NORM, attention, gated_mlp

ARCHITECTURE = Architecture(
    model_type="qwen3",
    class_name="Qwen3ForCausalLM",
    gguf="qwen3",
    parts=(
        ATTENTION_NORM,
        *attention("attention_bias", "attention_bias"),
        *HEAD_NORMS,
        MLP_NORM,
        *gated_mlp(),
    ),
    requirements=(
        SILU,
        NO_WINDOWS,
        Requirement("attention_bias", (False, None), "its attention has biases"),
    ),
)
