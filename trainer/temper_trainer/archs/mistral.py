"""Mistral without sliding windows is a llama by what it computes, and written as one."""

from dataclasses import replace

from .architecture import Requirement
from .llama import ARCHITECTURE as LLAMA
from .parts import ATTENTION_NORM, MLP_NORM, attention, gated_mlp

ARCHITECTURE = replace(
    LLAMA,
    model_type="mistral",
    class_name="MistralForCausalLM",
    parts=(ATTENTION_NORM, *attention(False, False, rotated=True), MLP_NORM, *gated_mlp()),
    requirements=(
        *LLAMA.requirements,
        Requirement("sliding_window", (None,), "its attention has sliding windows", 4096),
    ),
    reads_gguf=False,
    condition="without sliding windows",
)
