"""Qwen2 and Qwen2.5: queries, keys and values always have biases."""

from .architecture import Architecture
from .parts import ATTENTION_NORM, MLP_NORM, attention, gated_mlp

ARCHITECTURE = Architecture(
    model_type="qwen2",
    class_name="Qwen2ForCausalLM",
    gguf="qwen2",
    parts=(ATTENTION_NORM, *attention(True, False), MLP_NORM, *gated_mlp()),
)
