"""Rows of the head for tokens that must never be an answer."""

from typing import Any

import numpy as np
import torch

from ..errors import FAILED, TrainerError

WANTED = 100.0
"""How far below the best real logit the added ones shall lie: a chance of e^-100."""
LEAST = 20.0
"""What is still accepted on rows that were not used to find them."""
ROUNDS = 2000
NEAR = 0.01
"""Share of its length by which the point found may be farther from the origin than the nearest one."""
HEAD_POSITIONS = 256


def unlikely_rows(
    causal, states: torch.Tensor, held_out: torch.Tensor, count: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """`count` equal rows whose logits lie far below the best one of the base at every state, and how far.

    A file without a head of its own gives an added token the logit of its embedding, which may win. Zeros do not do
    either: the best real logit may be below zero.
    """
    direction, depth = farthest_below(states.double())
    if depth <= 1e-3 * states.norm(dim=-1).median().item():
        raise unreachable("no direction separates the soft tokens from all hidden states of the training rows")
    best = best_logits(causal, states)
    row = direction * max(0.0, ((WANTED - best) / -(states.double() @ direction)).max().item())
    below = margin(best_logits(causal, held_out), held_out, row) if len(held_out) else None
    if below is not None and below < LEAST:
        raise unreachable(f"on held-out rows their logits come within {below:.1f} of the best one")
    facts = {
        "tokens": count,
        "positions": len(states),
        "margin": margin(best, states, row),
        "held_out_positions": len(held_out),
        "held_out_margin": below,
    }
    return row.float().repeat(count, 1).numpy(), {"soft_tokens": facts}


def margin(best: torch.Tensor, states: torch.Tensor, row: torch.Tensor) -> float:
    """How far below the best real logit the added one stays, at the least."""
    return round((best - states.double() @ row).min().item(), 2)


def farthest_below(states: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The unit vector r for which the largest state · r is lowest, and minus that.

    Minus r points to the point of the states' convex hull that is nearest to the origin, which Gilbert's algorithm
    finds: step towards the state that lies least far in the present direction.
    """
    point = states.mean(0)
    for _ in range(ROUNDS):
        along = states @ point
        lowest = int(along.argmin())
        square = point @ point
        if square - along[lowest] <= NEAR * square:
            break
        towards = states[lowest] - point
        step = ((square - along[lowest]) / (towards @ towards)).clamp(max=1)
        point = point + step * towards
    direction = -point / point.norm().clamp(min=1e-12)
    return direction, -(states @ direction).max().item()


@torch.no_grad()
def best_logits(causal, states: torch.Tensor) -> torch.Tensor:
    head = causal.get_output_embeddings()
    weight = head.weight
    parts = states.to(weight.device, weight.dtype).split(HEAD_POSITIONS)
    return torch.cat([head(part).max(-1).values for part in parts]).double().cpu()


def unreachable(reason: str) -> TrainerError:
    hint = "Set export.gguf and export.merged to false to keep only the prefix, or use another method"
    return TrainerError("unsafe_vocabulary", f"Cannot hide the soft tokens from sampling: {reason}", hint, FAILED)
