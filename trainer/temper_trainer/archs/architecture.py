"""What the trainer knows of an architecture: how its tensors are called, and what GGUF can say of it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
GGUF_EMBEDDING = "token_embd.weight"
GGUF_HEAD = "output.weight"
ROPE_FACTORS = "rope_freqs.weight"
"""A tensor of GGUF alone: by what each frequency of the rotation is divided."""

WHOLE = {
    GGUF_EMBEDDING: (EMBEDDING, ("vocab", "hidden")),
    "output_norm.weight": ("model.norm.weight", ("hidden",)),
    GGUF_HEAD: (HEAD, ("vocab", "hidden")),
}
"""Tensors beside the layers, by their names in GGUF: the name in Hugging Face and the sizes. A tied head is none."""
GGUF_LAYER = re.compile(r"blk\.(\d+)\.(\w+)\.(weight|bias)")
HF_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")


@dataclass(frozen=True)
class Part:
    """A linear layer or a norm that every layer of the model has."""

    gguf: str
    """Its name in GGUF, such as attn_q."""
    hf: str
    """Its name in Hugging Face, such as self_attn.q_proj."""
    shape: tuple[str, ...]
    """Sizes of its weight: hidden, feed_forward, head_dim, query (heads times head_dim) or key_value."""
    bias: bool | str = False
    """Whether it has one; the key of config.json where that says so."""
    rotated: str | None = None
    """The key of config.json with its number of heads, where llama.cpp rotates neighbouring pairs and Hugging Face
    halves: such rows change places."""


@dataclass(frozen=True)
class Requirement:
    """A key of config.json that GGUF has no place for: no other value than the allowed ones can be exported."""

    key: str
    allowed: tuple[Any, ...]
    otherwise: str
    """The reason why a base with another `{value}` cannot."""
    default: Any = None
    """What transformers takes where config.json does not say."""


NEUTRAL = {
    "expert_count": (0,),
    "attention.sliding_window": (0,),
    "attention.scale": (0.0,),
    "attention.clamp_kqv": (0.0,),
    "attention.causal": (True,),
    "logit_scale": (0.0, 1.0),
    "residual_scale": (0.0, 1.0),
    "embedding_scale": (0.0, 1.0),
    "pooling_type": (0,),
    "rope.scaling.attn_factor": (1.0,),
    "rope.scaling.yarn_log_multiplier": (0.0,),
}
"""Metadata under which llama.cpp computes something else, with the values that leave the model as it is."""

SILU = Requirement("hidden_act", ("silu", "swish"), 'its activation "{value}" is not silu', "silu")
NO_WINDOWS = Requirement("use_sliding_window", (False, None), "its attention has sliding windows")


@dataclass(frozen=True)
class Architecture:
    """Of one `model_type`. A file in this folder with one in ARCHITECTURE is all that a new one takes."""

    model_type: str
    """As config.json has it."""
    class_name: str
    """The class in transformers."""
    gguf: str
    """The architecture's name in GGUF."""
    parts: tuple[Part, ...]
    """In the order files usually have them."""
    requirements: tuple[Requirement, ...] = (SILU, NO_WINDOWS)
    neutral_metadata: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: NEUTRAL)
    """Metadata of GGUF, below the architecture's name, that must have one of these values where it is there."""
    loaded_as: str | None = None
    """Where transformers does not know this `model_type`: the one that computes the same. The converted base is one of
    that type, with its requirements."""
    reads_gguf: bool = True
    """False where a GGUF file of this name is read as another architecture."""
    condition: str = ""
    """What the requirements come to, for lists: `mistral without sliding windows`."""

    def hf_name(self, gguf: str) -> str | None:
        """None for a tensor it does not have."""
        if found := GGUF_LAYER.fullmatch(gguf):
            layer, name, kind = found.groups()
            part = next((part for part in self.parts if part.gguf == name), None)
            return f"model.layers.{layer}.{part.hf}.{kind}" if part else None
        return WHOLE[gguf][0] if gguf in WHOLE else None

    def gguf_name(self, hf: str) -> str | None:
        if found := HF_LAYER.fullmatch(hf):
            layer, name, kind = found.groups()
            part = next((part for part in self.parts if part.hf == name), None)
            return f"blk.{layer}.{part.gguf}.{kind}" if part else None
        return next((gguf for gguf, (other, _) in WHOLE.items() if other == hf), None)

    def tensors(self, config: dict[str, Any]) -> list[str]:
        """The GGUF names of a model with this config, in the order files usually have them."""
        names = [name for name in WHOLE if name != GGUF_HEAD or not config["tie_word_embeddings"]]
        for layer in range(config["num_hidden_layers"]):
            for part in self.parts:
                names.append(f"blk.{layer}.{part.gguf}.weight")
                if part.bias is True or (part.bias and config.get(part.bias)):
                    names.append(f"blk.{layer}.{part.gguf}.bias")
        return names

    def bias_flags(self, gguf_tensors: Collection[str]) -> dict[str, bool]:
        """The keys of config.json that say which parts have biases, as a GGUF file has them in its first layer."""
        flags: dict[str, bool] = {}
        for part in self.parts:
            if isinstance(part.bias, str):
                flags[part.bias] = flags.get(part.bias, False) or f"blk.0.{part.gguf}.bias" in gguf_tensors
        return flags

    def inexpressible(self, config: dict[str, Any]) -> str | None:
        """Why a GGUF file cannot say what this config does."""
        for need in self.requirements:
            value = config.get(need.key, need.default)
            if value not in need.allowed:
                return need.otherwise.format(value=value)
        return None

    def changes_rows(self, gguf: str) -> bool:
        """Whether rows have another place in GGUF."""
        return self._rotated(gguf) is not None

    def to_gguf_rows(self, gguf: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
        """Without this a file loads and answers with plausible nonsense."""
        heads = self._rotated(gguf)
        if heads is None:
            return values
        return values.reshape(config[heads], 2, -1, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)

    def to_hf_rows(self, gguf: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
        """The inverse of `to_gguf_rows`."""
        heads = self._rotated(gguf)
        if heads is None:
            return values
        return values.reshape(config[heads], -1, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)

    def _rotated(self, gguf: str) -> str | None:
        name = gguf.split(".")[-2]
        return next((part.rotated for part in self.parts if part.gguf == name), None)
