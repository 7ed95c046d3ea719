"""Activation checkpointing: of each decoder layer its input is kept, the rest is computed again on the way back."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.checkpoint import checkpoint

from ..errors import TrainerError, Unfit
from ..job.failures import out_of_memory, sentence
from .check_ways import check_rows
from .compute import Row, Way, row_losses
from .costs import Batch, Shape, activation_bytes, head_bytes, trained_bytes, trained_numbers
from .memory import free_bytes
from .random_state import RandomState

if TYPE_CHECKING:
    from ..methods import Method
    from .session import Session

MARGIN = 0.9
"""Estimates are not exact: more of the free memory than this is not planned for."""
ENOUGH = 1e-2
"""How far gradients may lie apart, as a share of the largest: what is repeated differs by rounding alone."""


def choose_checkpointing(session: "Session", method: "Method", way: Way, random: RandomState) -> bool:
    """Whether a job's layers are recomputed. Raises where they have to be and cannot."""
    wanted = session.job.train.checkpointing
    reason = session.workers.from_leader(lambda: too_large(session)) if wanted == "auto" else None
    if wanted is False or (wanted == "auto" and reason is None):
        return False
    fault = Repetition(method, check_rows(session.rows, 0, []), way, random).fault()
    if wanted == "auto":
        what = "its layers are computed again on the way back" if fault is None else f"and its layers {fault}"
        session.metrics.warn(f"{reason}: {what} (train.checkpointing: auto)")
    elif fault is not None:
        message = f"Cannot use train.checkpointing on this base: its layers {fault}"
        raise TrainerError("unsupported_base", message, "Set train.checkpointing to false and lower train.micro_tokens")
    return fault is None


def too_large(session: "Session") -> str | None:
    """Why keeping everything does not fit the device's memory; None where it does, or nobody knows."""
    environment, job, report = session.environment, session.job, session.report
    free = free_bytes(environment.device)
    if free is None:
        return None
    rows = report["train"]
    tokens = min(job.train.micro_tokens, job.train.batch_size * rows["longest"]) + job.prefix_length()
    labelled = math.ceil(tokens * rows["supervised"] / max(1, rows["tokens"]))
    batch = Batch(tokens, labelled, environment.torch_dtype.itemsize, environment.device != "cpu")
    shape, parameters = Shape.of(report["base"]), report["base"]["parameters"]
    # The trained numbers are there. So are their gradients, but the machine counts memory when it is first written
    there = 4 if environment.device == "cpu" else 8
    trained = trained_bytes(shape, job.method, parameters, job.train.optimizer)
    trained -= there * trained_numbers(shape, job.method, parameters)
    if environment.parallel == "fsdp" and job.method.kind == "full":
        trained /= session.workers.world
    needed = trained + activation_bytes(shape, job.method, batch, False) + head_bytes(shape, job.method, batch)
    if needed <= MARGIN * free:
        return None
    return f"This training needs about {needed / 1e9:.1f} GB beside the base and {free / 1e9:.1f} GB are free"


class Repetition:
    """Two rows trained on with their layers recomputed, beside the same without."""

    def __init__(self, method: "Method", rows: list[Row], way: Way, random: RandomState):
        self.method, self.rows, self.way, self.random = method, rows, way, random

    def fault(self) -> str | None:
        """Why layers cannot be recomputed. Uses up no random numbers."""
        before, training = (self.random.tensors(), self.random.numbers()), self.method.model.training
        self.method.model.train()
        try:
            usual = self.gradients(False)
            self.random.restore(*before)
            found = self.gradients(True)
        except Unfit as reason:
            return f"cannot be computed again: {reason}"
        except Exception as error:
            if isinstance(error, TrainerError) or out_of_memory(error):
                raise
            return f"cannot be computed again: {sentence(error)}"
        finally:
            self.random.restore(*before)
            self.method.model.train(training)
        apart = max((a - b).abs().max().item() for a, b in zip(found, usual, strict=True))
        scale = max(gradient.abs().max().item() for gradient in usual)
        return None if apart <= ENOUGH * scale else f"are not the same when computed again ({apart / scale:.2g})"

    def gradients(self, repeated: bool) -> list[torch.Tensor]:
        causal = self.method.causal
        layers = checkpointed(causal, self.random) if repeated else nullcontext()
        trained = list(self.method.parameters().values())
        with self.way.on(causal), layers:
            rows = self.rows if self.way.rows != "alone" else self.rows[:1]
            losses, _ = row_losses(self.method, rows, self.way, causal.device)
            found = torch.autograd.grad(losses.sum(), trained, allow_unused=True)
        return [part for part in found if part is not None]


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
