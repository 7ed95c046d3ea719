"""Prefix tuning (arXiv 2101.00190): learnable keys and values at the beginning of every layer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import PrefixTuningConfig

from ..job.settings import Prefix
from ..training.packing import Pack, hidden_states
from ..training.past import Layer, Past, past_of, refusal
from . import Method
from .peft_prompt import save_prompt


class LayersPrefix(Method):
    artifact = "adapter"
    adds = True

    def __init__(self, config: Prefix, model, ids: torch.Tensor):
        self.model = self.causal = model
        self.prefix_length = config.length
        found = past_of(model, input_ids=ids[None]).layers
        if len({states.shape for layer in found for states in layer}) > 1:
            raise refusal("its keys and values differ in size")
        states = torch.stack([states for layer in found for states in layer])
        self.heads, self.size = states.shape[1], states.shape[3]
        # PEFT's order: [positions, layers * (keys, values) * heads * head size]
        self.embedding = torch.nn.Parameter(states.permute(2, 0, 1, 3).flatten(1).float().contiguous())

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {"embedding": self.embedding}

    def layers(self) -> list[Layer]:
        states = self.embedding.view(self.prefix_length, -1, 2, self.heads, self.size).permute(1, 2, 3, 0, 4)
        return [(keys, values) for keys, values in states]

    def hidden(self, batch: Pack) -> torch.Tensor:
        return hidden_states(self.causal, batch, self.layers())

    def arguments(self, ids: torch.Tensor) -> dict[str, Any]:
        return {"input_ids": ids, "past_key_values": self.typed().cache(self.causal, len(ids))}

    def typed(self) -> Past:
        """The layers in the type of the base."""
        return Past([(keys.to(self.model.dtype), values.to(self.model.dtype)) for keys, values in self.layers()])

    @torch.no_grad()
    def past(self) -> Past:
        return self.typed()

    def save(self, folder: Path) -> None:
        kind = PrefixTuningConfig(
            num_virtual_tokens=self.prefix_length,
            token_dim=self.heads * self.size,
            encoder_hidden_size=self.heads * self.size,
        )
        save_prompt(folder, kind, self.causal.config.get_text_config(), self.embedding, self.heads)

    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        raise TypeError("Keys and values of every layer cannot be merged")
