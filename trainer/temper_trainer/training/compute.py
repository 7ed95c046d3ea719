"""Rows through a model, each as if it were alone: the one computation that trains, scores and is checked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .batches import micro_batches, padded_batches
from .fused import fused_layers
from .head import logits_of, token_losses
from .packing import pack, packed_rows
from .transfer import to_device

if TYPE_CHECKING:
    from ..methods import Method

Row = tuple[np.ndarray, np.ndarray]
"""Tokens, and labels that are 1 where the loss is taken."""
PAD = 0
ROWS = {"packed": "packed rows", "padded": "padded rows", "alone": "one row at a time"}
HEADS = {"fast": "the fast head", "own": "the model's own head", "whole": "the whole model for its logits"}


@dataclass(frozen=True)
class Way:
    """How losses of rows are computed. All ways give the same numbers where they work, the first ones faster."""

    rows: str
    """packed: laid end to end; padded: side by side, filled up at the end; alone: one by one."""
    head: str
    """fast: hidden states times the head's weight; own: the model's own function of hidden states; whole: the
    model's forward from tokens to logits."""
    layers: str = "own"
    """fused: decoder layers of the llama form in few operations, the others in their own; own: all in their own."""

    def batches(self, lengths: Sequence[int] | np.ndarray, micro_tokens: int) -> list[list[int]]:
        """Places of rows to be computed together."""
        if self.rows == "packed":
            return micro_batches(lengths, micro_tokens)
        return padded_batches(lengths, micro_tokens if self.rows == "padded" else 0)

    @contextmanager
    def on(self, causal) -> Iterator[None]:
        """While this lasts, the model computes rows this way."""
        packed, fused = self.rows == "packed", self.layers == "fused"
        with packed_rows(causal) if packed else nullcontext(), fused_layers(causal) if fused else nullcontext():
            yield

    def __str__(self) -> str:
        layers = ", the model's own layers" if self.rows == "packed" and self.layers == "own" else ""
        return f"{ROWS[self.rows]}, {HEADS[self.head]}{layers}"


FASTEST = Way("packed", "fast", "fused")
SCORING = Way("padded", "fast")


@dataclass(frozen=True)
class Padded:
    ids: torch.Tensor
    """Token ids, [rows, width]. Padding stands after a row, where causal attention never looks: no mask is needed."""
    row: torch.Tensor
    place: torch.Tensor
    """Where each labelled token stands."""
    targets: torch.Tensor
    """The labelled tokens."""
    rows: np.ndarray
    """Which of the rows each target belongs to."""


def pad(rows: Sequence[Row], device: torch.device) -> Padded:
    width = max(len(tokens) for tokens, _ in rows)
    filled = [np.pad(tokens.astype(np.int64), (0, width - len(tokens)), constant_values=PAD) for tokens, _ in rows]
    ids = to_device(torch.from_numpy(np.stack(filled)), device)
    # Nothing comes before a row's first token to predict it from
    places = [np.flatnonzero(labels[1:]) + 1 for _, labels in rows]
    numbers = np.repeat(np.arange(len(rows)), [len(found) for found in places])
    row, place = (to_device(torch.from_numpy(found), device) for found in (numbers, np.concatenate(places)))
    return Padded(ids, row, place, ids[row, place], numbers)


def states_before(causal, arguments: dict[str, Any], batch: Padded, head: str) -> torch.Tensor:
    """What each labelled token is predicted from: a hidden state, or logits where the head is `whole`."""
    if head == "whole":
        found = causal(**arguments, use_cache=False).logits
    else:
        found = causal.get_decoder()(**arguments, use_cache=False).last_hidden_state
    return found[:, -batch.ids.shape[1] :][batch.row, batch.place - 1]


def row_losses(
    method: "Method", rows: Sequence[Row], way: Way, device: torch.device
) -> tuple[torch.Tensor, np.ndarray]:
    """Loss of each labelled token, row by row, and the row it belongs to. Needs `way.on`."""
    if way.rows == "packed":
        batch = pack(rows, device, method.prefix_length)
        states = method.hidden(batch)[batch.places]
    else:
        batch = pad(rows, device)
        states = states_before(method.causal, method.arguments(batch.ids), batch, way.head)
    return token_losses(method.causal, states, batch.targets, way.head), batch.rows


def hidden_states(method: "Method", rows: Sequence[Row], way: Way, device: torch.device) -> torch.Tensor:
    """Final hidden states at every position of the rows. Needs `way.on`."""
    if way.rows == "packed":
        return method.hidden(pack(rows, device, method.prefix_length))
    batch = pad(rows, device)
    found = method.causal.get_decoder()(**method.arguments(batch.ids), use_cache=False).last_hidden_state
    parts = zip(found[:, -batch.ids.shape[1] :], rows, strict=True)
    return torch.cat([states[: len(tokens)] for states, (tokens, _) in parts])


def predictions(causal, arguments: dict[str, Any], batch: Padded, head: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of each labelled token and the most likely token in its place."""
    losses, best = [], []
    states = states_before(causal, arguments, batch, head)
    for logits, wanted in logits_of(causal, states, batch.targets, head):
        losses.append(torch.nn.functional.cross_entropy(logits, wanted, reduction="none"))
        best.append(logits.argmax(-1))
    return torch.cat(losses), torch.cat(best)
