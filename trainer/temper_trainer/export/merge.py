"""A base with the trained part merged into it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..archs.architecture import EMBEDDING, HEAD

if TYPE_CHECKING:
    import torch

    Tensors = Callable[[], Iterator[tuple[str, torch.Tensor]]]
    States = Callable[[], tuple[torch.Tensor, torch.Tensor]]
    """Final hidden states at some positions of the training rows, and of rows that were held out."""


@dataclass(frozen=True)
class AddedTokens:
    """Tokens that come after the base's own. They begin every prompt and are never an answer."""

    tokens: Sequence[str]
    embeddings: np.ndarray
    """[tokens, hidden] in fp32."""
    outputs: np.ndarray
    """Their rows of the head: [tokens, hidden] in fp32."""

    def rows(self, tied: bool) -> dict[str, tuple[str, np.ndarray]]:
        """Tensors that get more rows: the tensor whose rows come first, and the rows. A tied base is untied."""
        return {EMBEDDING: (EMBEDDING, self.embeddings), HEAD: (EMBEDDING if tied else HEAD, self.outputs)}


@dataclass(frozen=True)
class Merge:
    tensors: "Tensors"
    """Starts a pass over the tensors that changed: Hugging Face's names, fp32, one at a time."""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of changed tensors whose shape is not the base's."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Keys of config.json that change."""
    added_tokens: AddedTokens | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For result.json."""
