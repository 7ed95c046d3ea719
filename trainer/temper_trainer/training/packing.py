"""Rows laid end to end: every linear layer sees real tokens only, attention sees one row at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch.nn import functional

from ..errors import Unfit
from .transfer import to_device
from .varlen import Bounds, bounds_of, fits, varlen_attention

NAME = "packed_rows"
PLAIN = frozenset({"position_ids", "cache_position", "use_cache", "output_attentions", "output_hidden_states"})
"""What models tell their attention that changes nothing about what it computes."""


@dataclass(frozen=True)
class Pack:
    ids: torch.Tensor
    """Token ids, [1, tokens]."""
    positions: torch.Tensor
    """Each token's place in its own row, [1, tokens]."""
    segments: list[tuple[int, int]]
    """Neighbouring rows of one length: how many, and how long."""
    places: torch.Tensor
    """Where the hidden states are from which a labelled token is predicted."""
    targets: torch.Tensor
    """The labelled tokens."""
    rows: np.ndarray
    """Which of the packed rows each target belongs to."""


def pack(rows: Sequence[tuple[np.ndarray, np.ndarray]], device: torch.device, prefix_length: int = 0) -> Pack:
    """Lays rows of (tokens, labels) end to end. Each begins behind `prefix_length` positions of something else."""
    tokens = np.concatenate([tokens for tokens, _ in rows]).astype(np.int64)
    lengths = [len(tokens) for tokens, _ in rows]
    labels = np.concatenate([labels for _, labels in rows]).astype(bool)
    labels[np.cumsum([0, *lengths[:-1]])] = False  # nothing comes before a row's first token to predict it from
    (labelled,) = np.nonzero(labels)
    positions = np.concatenate([np.arange(prefix_length, prefix_length + length) for length in lengths])
    return Pack(
        ids=to_device(torch.from_numpy(tokens)[None], device),
        positions=to_device(torch.from_numpy(positions)[None], device),
        segments=[(len(list(group)), length) for length, group in groupby(lengths)],
        places=to_device(torch.from_numpy(labelled - 1), device),
        targets=to_device(torch.from_numpy(tokens[labelled]), device),
        rows=np.repeat(np.arange(len(rows)), lengths)[labelled],
    )


def row_attention(
    module,
    query,
    key,
    value,
    attention_mask,
    segments=None,
    bounds=None,
    shared=0,
    past=None,
    scaling=None,
    dropout=0.0,
    sliding_window=None,
    **others,
):
    """Causal attention inside each row. Rows of one length share a call.

    The first `shared` positions are a row that all others see too, computed once. `past` does the same with given
    keys and values for each layer.
    """
    check_plain(module, attention_mask, segments, others)
    if bounds is not None and fits(query, value, dropout):
        before = past[module.layer_idx] if past else None
        return varlen(query, key, value, bounds, before, scaling, sliding_window), None
    groups = query.shape[1] // key.shape[1]
    segments = [(1, shared), *segments] if shared else segments
    seen = past[module.layer_idx] if past else None
    results, start = [], 0
    for count, length in segments:
        end = start + count * length
        q, k, v = (
            states[0, :, start:end].unflatten(1, (count, length)).transpose(0, 1) for states in (query, key, value)
        )
        if seen:
            k, v = (
                torch.cat([before.to(own.dtype).expand(count, *before.shape), own], dim=2)
                for before, own in zip(seen, (k, v), strict=True)
            )
        if groups > 1:
            k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        mask = row_mask(length, k.shape[2] - length, sliding_window, query.device)
        result = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=mask is None, scale=scaling
        )
        results.append(result.transpose(1, 2).flatten(0, 1))
        start = end
        if shared and end == shared:
            seen = key[0, :, :shared], value[0, :, :shared]
    return torch.cat(results)[None] if len(results) > 1 else results[0][None], None


def varlen(query, key, value, bounds: Bounds, before, scaling, window) -> torch.Tensor:
    """The same in one kernel. `before`: keys and values that precede each row, where they are no row themselves."""
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    if before:
        k, v = (
            torch.cat([first.to(own.dtype).transpose(0, 1), own]) for first, own in zip(before, (k, v), strict=True)
        )
    return varlen_attention(q, k, v, bounds, scaling, window)[None]


def check_plain(module, attention_mask, segments, others: dict) -> None:
    """Raises where the attention would be computed without something that the model asks for."""
    if segments is None:
        raise Unfit("its attention ignores where rows start")
    if attention_mask is not None:
        raise Unfit("its attention builds its own mask")
    if not getattr(module, "is_causal", True) or others.pop("is_causal", None) is False:
        raise Unfit("its attention is not causal")
    extra = sorted(name for name, value in others.items() if value is not None and name not in PLAIN)
    if extra:
        raise Unfit(f"its attention also takes {', '.join(extra)}")


def row_mask(length: int, before: int, window: int | None, device: torch.device) -> torch.Tensor | None:
    """None where plain causal attention does."""
    if before:
        return torch.ones(length, before + length, dtype=torch.bool, device=device).tril(before)
    return window_mask(length, window, device) if window is not None and length > window else None


def window_mask(length: int, window: int, device: torch.device) -> torch.Tensor:
    distance = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)
    return (distance >= 0) & (distance < window)


@contextmanager
def packed_rows(causal) -> Iterator[None]:
    """While this lasts, the model's attention keeps to the rows of a Pack."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, row_attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
    before = causal.config._attn_implementation
    causal.set_attn_implementation(NAME)
    try:
        yield
    finally:
        causal.set_attn_implementation(before)


def hidden_states(causal, batch: Pack, past: Sequence[tuple[torch.Tensor, torch.Tensor]] | None = None) -> torch.Tensor:
    """Final hidden states, [tokens, hidden]. Needs `packed_rows`. `past` stands before each row."""
    bounds = bounds_of(batch.segments, batch.ids.device, before=past[0][0].shape[1] if past else 0)
    output = causal.get_decoder()(
        input_ids=batch.ids,
        position_ids=batch.positions,
        use_cache=False,
        segments=batch.segments,
        bounds=bounds,
        past=past,
    )
    return output.last_hidden_state[0]


def hidden_states_behind(causal, batch: Pack, embeddings: torch.Tensor) -> torch.Tensor:
    """The same behind a row of embeddings that is read once for all of them."""
    shared = len(embeddings)
    inputs = torch.cat([embeddings, causal.get_input_embeddings()(batch.ids[0])])
    positions = torch.cat([torch.arange(shared, device=inputs.device)[None], batch.positions], dim=1)
    bounds = bounds_of(batch.segments, inputs.device, before=shared, shared=True)
    output = causal.get_decoder()(
        inputs_embeds=inputs[None],
        position_ids=positions,
        use_cache=False,
        segments=batch.segments,
        bounds=bounds,
        shared=shared,
    )
    return output.last_hidden_state[0, shared:]
