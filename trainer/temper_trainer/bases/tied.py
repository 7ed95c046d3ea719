"""Whether a folder's head is its embedding. The weights say so, not config.json, which a merged model may keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..archs import architecture_of
from ..archs.architecture import EMBEDDING, HEAD
from .weights import Weights

Tensors = Mapping[str, Weights]
"""Names of tensors and the file each one is in."""


@dataclass(frozen=True)
class Head:
    tied: bool
    dropped: str | None = None
    """A second copy of the embedding."""
    renamed: tuple[str, str] | None = None
    """A tied matrix that was saved under the head's name alone: that name and the embedding's."""


def find_head(config: Any, tensors: Tensors) -> Head:
    """What transformers makes of it when it loads: a head with values of its own is never replaced."""
    names = _names(config)
    if names is None or not getattr(config, "tie_word_embeddings", False):
        return Head(False)
    head, embedding = names
    if head not in tensors:
        return Head(True)
    if embedding not in tensors:
        return Head(True, renamed=(head, embedding))
    same = _equal(tensors[head], head, tensors[embedding], embedding)
    return Head(True, dropped=head) if same else Head(False)


def _names(config: Any) -> tuple[str, str] | None:
    """Of head and embedding. None where this architecture never ties them."""
    if architecture_of(config.model_type) is not None:
        return HEAD, EMBEDDING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    keys = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]._tied_weights_keys
    return next(iter(keys.items()), None) if isinstance(keys, dict) else None


def _equal(one: Weights, name: str, other: Weights, as_name: str) -> bool:
    mine, its = one.entries[name], other.entries[as_name]
    if (mine.dtype, mine.shape) != (its.dtype, its.shape):
        return False
    return np.array_equal(one.data(name), other.data(as_name))
