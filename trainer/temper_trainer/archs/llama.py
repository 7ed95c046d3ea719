"""Llama 2 and 3, SmolLM, and whatever else is published as a llama."""

from .architecture import Architecture
from .parts import ATTENTION_NORM, MLP_NORM, attention, gated_mlp

ARCHITECTURE = Architecture(
    model_type="llama",
    class_name="LlamaForCausalLM",
    gguf="llama",
    parts=(
        ATTENTION_NORM,
        *attention("attention_bias", "attention_bias", rotated=True),
        MLP_NORM,
        *gated_mlp("mlp_bias"),
    ),
)
