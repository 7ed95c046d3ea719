"""Activation checkpointing: of each decoder layer its input is kept, the rest is computed again on the way back."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from ..errors import Unfit
from .random_state import RandomState


@contextmanager
def checkpointed(causal, random: RandomState) -> Iterator[None]:
    """While this lasts, the layers of a model keep nothing but their inputs for the way back."""
    layers = decoder_layers(causal)
    before = [vars(layer).get("forward") for layer in layers]
    for layer in layers:
        layer.forward = partial(recomputed, layer.forward, random)
    try:
        yield
    finally:
        for layer, forward in zip(layers, before, strict=True):
            del layer.forward
            if forward is not None:
                layer.forward = forward


def decoder_layers(causal) -> list[torch.nn.Module]:
    """Those that transformers marks as units of recomputation."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [module for module in causal.get_decoder().modules() if isinstance(module, GradientCheckpointingLayer)]
    inside = {id(part) for layer in found for part in layer.modules() if part is not layer}
    layers = [layer for layer in found if id(layer) not in inside]
    if not layers:
        raise Unfit("transformers marks none of its layers as one that can be recomputed")
    return layers


def recomputed(forward: Callable, random: RandomState, *inputs: Any, **others: Any) -> Any:
    """Stands in for a layer's forward."""
    if not torch.is_grad_enabled():
        return forward(*inputs, **others)
    # Dropout draws from generators that PyTorch does not know of
    computed = partial(on_own_cache, forward, **others)
    return checkpoint(computed, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=random.repeats)


def on_own_cache(forward: Callable, *inputs: Any, past_key_values: Any = None, **others: Any) -> Any:
    """A layer appends its keys and values to the cache it is given. It gets a copy, so that a second computation
    finds the cache as the first one did."""
    if past_key_values is not None:
        past_key_values = copy.copy(past_key_values)
        past_key_values.layers = [copy.copy(layer) for layer in past_key_values.layers]
        others["past_key_values"] = past_key_values
    return forward(*inputs, **others)
