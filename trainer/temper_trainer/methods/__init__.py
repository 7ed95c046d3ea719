"""Fine-tuning methods: one file each, behind one interface."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..job import Job
from ..random_state import RandomState

MODULES = {"lora": ".lora"}


class Method(Protocol):
    """A model prepared for training by one method."""

    model: Any
    """What answers: the base with the trained part in it."""
    causal: Any
    """The transformers model inside."""

    def parameters(self) -> dict[str, Any]:
        """The tensors to train, by name."""

    def save(self, folder: Path) -> None:
        """Writes the trained part alone."""

    def merged(self) -> Iterator[tuple[str, Any]]:
        """Every tensor of the base that training changed, by its name there, in fp32, one at a time."""


def attach(job: Job, model: Any, random: RandomState) -> Method:
    """Prepares a freshly loaded base for the job's method."""
    module = import_module(MODULES[job.method.kind], __name__)
    return module.attach(job.method, model, random)
