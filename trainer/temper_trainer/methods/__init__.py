"""Fine-tuning methods: one file each, behind one interface."""

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import TrainerError
from ..export.merge import Merge
from ..job.failures import out_of_memory, sentence
from ..job.job import Job
from ..training.packing import Pack, hidden_states
from ..training.past import Past
from ..training.random_state import RandomState

if TYPE_CHECKING:
    from ..bases.base import Base
    from ..export.merge import States
    from ..training.device import Environment

MODULES = {"full": ".full", "lora": ".lora", "qlora": ".qlora", "prefix": ".prefix", "adapter": ".adapter"}

UNFIT = (TypeError, ValueError, AttributeError, LookupError, RuntimeError, NotImplementedError, ImportError)
"""What libraries raise for a model that they were not made for."""

Encode = Callable[[str], list[int]]


class Method:
    """A model prepared for training by one method."""

    model: Any
    """What answers: the base with the trained part in it."""
    causal: Any
    """The transformers model inside."""
    artifact: str
    """Kind and folder of what `save` writes: adapter, or weights where it is the whole model."""
    adds: bool
    """Whether the trained tensors come on top of the base's."""
    prefix_length: int = 0
    """Positions that the trained part takes before each row."""

    def parameters(self) -> dict[str, Any]:
        """The tensors to train, by name."""
        raise NotImplementedError

    def hidden(self, batch: Pack) -> Any:
        """Final hidden states of packed rows, [tokens, hidden]. Needs `packed_rows`."""
        return hidden_states(self.causal, batch)

    def arguments(self, ids: Any) -> dict[str, Any]:
        """What the model is called with to read rows that stand side by side, [rows, width]. What comes before them
        is part of it; hidden states and logits of the rows themselves are the last `width` ones."""
        return {"input_ids": ids}

    def refuse_unused(self, names: list[str]) -> None:
        """Raises unless these trained tensors may be left aside by a row."""
        raise TrainerError(
            "bad_method", f'Cannot train "{names[0]}": the base does not use it', "Use another method.kind"
        )

    def off(self) -> AbstractContextManager:
        """While this lasts, the model answers as the base does, without the cost of the trained part."""
        return nullcontext()

    def past(self) -> Past | None:
        """What stands before every prompt when the model answers."""
        return None

    def save(self, folder: Path) -> None:
        """Writes only the trained part."""
        raise NotImplementedError

    def merged(self) -> Iterator[tuple[str, Any]]:
        """Every tensor of the base that training changed, by its name there, in fp32, one at a time."""
        raise NotImplementedError

    def changes(self) -> dict[str, Any]:
        """The tensors of the base that `merged` replaces, by their names there, as they are now; None where a tensor
        is read from the base's file for each use."""
        return {}

    def compare_merged(self, _run: Callable[[], Any]) -> Iterator[tuple[str, Any, Any]]:
        """For each merged layer its name, its output and that of the trained layer on what `_run` computes."""
        return iter(())

    def merge(self, _states: "States") -> Merge:
        """The trained part as a change of the base. `_states` gives final hidden states on the examples."""
        return Merge(self.merged)


def load(job: Job, base: "Base", environment: "Environment") -> Any:
    """The base as the job's method holds it. Until `attach` it answers as the base does."""
    module = import_module(MODULES[job.method.kind], __name__)
    with refusing("unsupported_base", "load this base", "Use a base of another architecture"):
        if hasattr(module, "load"):
            return module.load(base, environment)
        return base.load_model(environment.torch_dtype, environment.device)


def attach(job: Job, model: Any, random: RandomState, encode: Encode) -> Method:
    """Prepares a freshly loaded base for the job's method. `encode` turns plain text into token ids."""
    module = import_module(MODULES[job.method.kind], __name__)
    with refusing("bad_method", f"prepare this base for method.kind {job.method.kind}", "Use another method.kind"):
        return module.attach(job.method, model, random, encode)


@contextmanager
def recorded(modules: Mapping[str, Any]) -> Iterator[dict[str, tuple[Any, Any]]]:
    """Input and output of each module when it is called first, in fp32."""
    found: dict[str, tuple[Any, Any]] = {}

    def note(name: str, inputs, output) -> None:
        if name not in found:
            # Copies: some models add to an output in place
            found[name] = tuple(states.detach().to(torch.float32, copy=True) for states in (inputs[0], output))

    hooks = [
        module.register_forward_hook(lambda _, inputs, output, name=name: note(name, inputs, output))
        for name, module in modules.items()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def refusing(code: str, what: str, hint: str) -> Iterator[None]:
    """Says what failed where a library only says how. The traceback is in the log."""
    try:
        yield
    except UNFIT as error:
        if out_of_memory(error):
            raise
        traceback.print_exception(error, file=sys.stderr)
        raise TrainerError(code, f"Cannot {what}: {sentence(error)}", hint) from error
