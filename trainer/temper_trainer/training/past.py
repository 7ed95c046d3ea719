"""Keys and values that precede every row, computed once and shared by all."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ..bases.context import unusual_layers, windows_of
from ..errors import TrainerError

STATES = "some of its layers keep something other than keys and values"
Layer = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Past:
    layers: Sequence[Layer]
    """Keys, rotated to the first positions, and values of each layer: [key/value heads, positions, head size]."""

    @property
    def length(self) -> int:
        return self.layers[0][0].shape[1]

    def cache(self, model, rows: int = 1) -> DynamicCache:
        """A new cache that begins with them, for so many rows."""
        cache = DynamicCache(config=model.config)
        for index, layer in enumerate(self.layers):
            keys, values = (states.expand(rows, *states.shape) for states in layer)
            cache.update(keys, values, index)
        return cache


@torch.no_grad()
def past_of(causal, **inputs) -> Past:
    """What a model leaves behind after reading one row, given as `input_ids` or `inputs_embeds`."""
    cache = DynamicCache(config=causal.config)
    causal.get_decoder()(**inputs, past_key_values=cache, use_cache=True)
    if not all(isinstance(layer, DynamicLayer) and layer.is_initialized for layer in cache.layers):
        raise refusal(STATES)
    return Past([(layer.keys[0], layer.values[0]) for layer in cache.layers])


def refuse_windows(config) -> None:
    """A window would slide over what stands before a row and lose it; a state holds no keys and values."""
    kinds = unusual_layers(config)
    if windows_of(config) or kinds & {"sliding_attention", "chunked_attention"}:
        raise refusal("its attention has sliding windows")
    if kinds:
        raise refusal(STATES)


def refusal(reason: str) -> TrainerError:
    return TrainerError("bad_method", f"Cannot train a prefix on this base: {reason}", "Use method.kind: lora")
