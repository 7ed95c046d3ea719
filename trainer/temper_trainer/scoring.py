"""How likely a model finds the expected answers: one pass over each row, all its answer tokens at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from .past import Past
from .prepared import Prepared

PAD = 0
HEAD_POSITIONS = 256
"""Positions whose logits exist at the same time: with a vocabulary of 150,000 they take 150 MB."""


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
) -> list[RowScore]:
    """Scores in the order of `rows`. `progress` takes the number of rows done; what it raises ends the pass."""
    scores: dict[int, RowScore] = {}
    for batch in plan_batches(rows.lengths(np.arange(len(rows))).tolist(), micro_tokens):
        scores |= zip(batch, _score(model, [rows.row(index) for index in batch], past), strict=True)
        if progress:
            progress(len(scores))
    return [scores[index] for index in range(len(rows))]


def plan_batches(lengths: Sequence[int], micro_tokens: int) -> list[list[int]]:
    """Indices of rows of like length together, longest first; a batch holds `micro_tokens` padded tokens or one row."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > micro_tokens:
            batches.append([])
        batches[-1].append(index)
    return batches


@torch.inference_mode()
def _score(model, rows: Sequence[tuple[np.ndarray, np.ndarray]], past: Past | None) -> list[RowScore]:
    width = max(len(tokens) for tokens, _ in rows)
    # Padding stands after a row, where causal attention never looks: no mask is needed.
    ids = torch.tensor(np.stack([np.pad(tokens, (0, width - len(tokens)), constant_values=PAD) for tokens, _ in rows]))
    ids = ids.long().to(model.device)
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    cache = past and past.cache(causal, len(rows))
    hidden = causal.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=False).last_hidden_state
    places = [np.flatnonzero(labels) for _, labels in rows]
    counts = [len(targets) for targets in places]
    row_of = torch.from_numpy(np.repeat(np.arange(len(rows)), counts)).to(model.device)
    target = torch.from_numpy(np.concatenate(places)).to(model.device)
    nll, best = _head(causal.get_output_embeddings(), hidden[row_of, target - 1], ids[row_of, target])
    parts = zip(rows, places, nll.split(counts), best.split(counts), strict=True)
    return [
        _row_score(tokens[targets].tolist(), losses, argmax.tolist()) for (tokens, _), targets, losses, argmax in parts
    ]


def _head(head, states: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of each wanted token and the most likely one, a few positions at a time."""
    nll, best = [], []
    for part, expected in zip(states.split(HEAD_POSITIONS), wanted.split(HEAD_POSITIONS), strict=True):
        logits = head(part).float()
        nll.append(functional.cross_entropy(logits, expected, reduction="none"))
        best.append(logits.argmax(-1))
    return torch.cat(nll), torch.cat(best)


def _row_score(expected: list[int], losses: torch.Tensor, argmax: list[int]) -> RowScore:
    agreed = next((i for i, token in enumerate(expected) if argmax[i] != token), len(expected))
    wrong = argmax[agreed] if agreed < len(expected) else None
    return RowScore(losses.double().sum().item(), len(expected), expected[:agreed], wrong)
