"""Full fine-tuning: every weight of the base is trained, held in fp32 whatever type it is computed in."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file

from ..bases.base import Base
from ..files import sync_file, sync_folder
from ..job.settings import Full
from ..training.device import Environment
from ..training.random_state import RandomState
from . import Encode, Method


def load(base: Base, environment: Environment):
    """In fp32: in bf16 most steps would be too small to change a weight."""
    return base.load_model(torch.float32, environment.device)


def attach(_config: Full, model, _random: RandomState, _encode: Encode | None = None) -> "FullMethod":
    return FullMethod(model)


class FullMethod(Method):
    artifact = "weights"
    adds = False

    def __init__(self, model):
        self.model = self.causal = model.requires_grad_(True)

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """A tied head is the embedding itself and comes once."""
        return dict(self.model.named_parameters())

    def save(self, folder: Path) -> None:
        """A Hugging Face folder without tokenizer: config and weights in fp32."""
        folder.mkdir(parents=True)
        self.model.config.save_pretrained(folder)
        tensors = {name: tensor.detach().cpu() for name, tensor in sorted(self.parameters().items())}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        for path in folder.iterdir():
            sync_file(path)
        sync_folder(folder)

    def changes(self) -> dict[str, torch.Tensor]:
        return self.parameters()

    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in self.parameters().items():
            yield name, tensor.detach()
