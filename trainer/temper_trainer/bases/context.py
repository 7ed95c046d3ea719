"""What a base's config says about how far it reads."""

from collections.abc import Iterator
from typing import Any

CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
WINDOWS = ("sliding_window", "attention_chunk_size", "attention_window_size", "window_size")
TURNING = ("longrope", "dynamic")
"""Kinds of rotation whose frequencies depend on how long the row is."""
UNBOUNDED = 1 << 20
"""Context of a base that has no bound: more than any row has."""


def values_of(config, name: str) -> list[Any]:
    """What the language model's config says, layer by layer where layers differ."""
    text = config.get_text_config()
    layers = text.per_layer_config if getattr(text, "is_heterogeneous", False) else [text]
    return [value for layer in layers if (value := getattr(layer, name, None)) is not None]


def context_of(config) -> int:
    """Most positions of a row."""
    return next((value for name in CONTEXT for value in values_of(config, name)), UNBOUNDED)


def windows_of(config) -> list[int]:
    """How far back attention reaches where that is bounded."""
    found = {value for name in WINDOWS for value in values_of(config, name) if isinstance(value, int)}
    return sorted(value for value in found if value > 0)


def unusual_layers(config) -> set[str]:
    """Types of layers besides those of full attention."""
    return {kind for kinds in values_of(config, "layer_types") for kind in kinds} - {"full_attention"}


def turn_of(config) -> int | None:
    """Rows longer than this are read with other frequencies than shorter ones, from their first token on."""
    lengths = [
        rope.get("original_max_position_embeddings") or context_of(config)
        for rope in ropes_of(config)
        if rope.get("rope_type") in TURNING
    ]
    return min(lengths, default=None)


def ropes_of(config) -> Iterator[dict[str, Any]]:
    """The parameters of each rotation: one for all layers, or one for each type of layer."""
    for parameters in values_of(config, "rope_parameters"):
        nested = [value for value in parameters.values() if isinstance(value, dict) and "rope_type" in value]
        yield from nested or [parameters]
