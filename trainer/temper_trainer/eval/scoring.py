"""How likely a model finds the expected answers: one pass over each row, all its answer tokens at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..data.prepared import Prepared
from ..training.compute import SCORING, Row, Way, pad, predictions
from ..training.past import Past


@dataclass(frozen=True)
class RowScore:
    nll: float
    """Sum of the negative log-likelihoods of the labelled tokens."""
    count: int
    """Labelled tokens."""
    agreed: list[int]
    """The beginning of the expected answer that greedy decoding would produce too."""
    wrong: int | None
    """What it would produce next instead of the expected token; None where it agrees to the end."""


def score_rows(
    model,
    rows: Prepared,
    micro_tokens: int,
    progress: Callable[[int], None] | None = None,
    past: Past | None = None,
    way: Way = SCORING,
    only: Sequence[int] | None = None,
) -> list[RowScore]:
    """Scores in the order of `rows`, or of `only` some of them. `progress` takes the number of rows done; what it
    raises ends the pass."""
    chosen = np.arange(len(rows)) if only is None else np.array(only, np.int64)
    scores: dict[int, RowScore] = {}
    for batch in way.batches(rows.lengths(chosen).tolist(), micro_tokens):
        scores |= zip(batch, _score(model, [rows.row(chosen[place]) for place in batch], past, way), strict=True)
        if progress:
            progress(len(scores))
    return [scores[place] for place in range(len(chosen))]


@torch.inference_mode()
def _score(model, rows: Sequence[Row], past: Past | None, way: Way) -> list[RowScore]:
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    batch = pad(rows, model.device)
    arguments = {"input_ids": batch.ids} | ({"past_key_values": past.cache(causal, len(rows))} if past else {})
    nll, best = predictions(causal, arguments, batch, way.head)
    counts = np.bincount(batch.rows, minlength=len(rows)).tolist()
    parts = zip(*(found.split(counts) for found in (batch.targets, nll, best)), strict=True)
    return [_row_score(targets.tolist(), losses, argmax.tolist()) for targets, losses, argmax in parts]


def _row_score(expected: list[int], losses: torch.Tensor, argmax: list[int]) -> RowScore:
    agreed = next((i for i, token in enumerate(expected) if argmax[i] != token), len(expected))
    wrong = argmax[agreed] if agreed < len(expected) else None
    return RowScore(losses.double().sum().item(), len(expected), expected[:agreed], wrong)
