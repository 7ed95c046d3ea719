"""Puts the fused computation in place of the layers' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from .form import Form, family_of, form_of
from .functions import AfterAttention, BeforeAttention, Masks, trained_after, trained_before
from .row_attention import RowAttention


def fusible(causal) -> bool:
    """Whether any of the model's layers has the form."""
    return any(family_of(layer) for layer in layers_of(causal))


@contextmanager
def fused_layers(causal) -> Iterator[None]:
    """While this lasts, the layers that have the form compute packed rows in few operations; others stay."""
    replaced = []
    try:
        for layer in layers_of(causal):
            form = form_of(layer)
            if form is not None:
                layer.forward = partial(forward, form, layer.forward)
                replaced.append(layer)
        yield
    finally:
        for layer in replaced:
            del layer.forward


def layers_of(causal) -> list:
    return list(getattr(causal.get_decoder(), "layers", None) or ())


def forward(
    form: Form,
    own,
    hidden_states: torch.Tensor,
    attention_mask=None,
    position_ids=None,
    past_key_values=None,
    use_cache=False,
    position_embeddings=None,
    **others,
) -> torch.Tensor:
    """Stands in for a decoder layer's forward."""
    if past_key_values is not None or any(joint.off for joint in form.updates):
        given = (attention_mask, position_ids, past_key_values, use_cache, position_embeddings)
        return own(hidden_states, *given, **others)
    x = hidden_states[0]
    kind = kind_of(x)
    masks = dropout_masks(form, len(x))
    half = position_embeddings[0].shape[-1] // 2
    cos, sin = (states[0, :, None, :half].to(kind) for states in position_embeddings)
    with torch.autocast(x.device.type, enabled=False):
        joint = BeforeAttention.apply(form, kind, masks, x, cos, sin, *trained_before(form))
        attended = attend(form, joint, attention_mask, {**others, "position_ids": position_ids})
        return AfterAttention.apply(form, kind, masks, x, attended, *trained_after(form))[None]


def attend(form: Form, joint: torch.Tensor, attention_mask, others: dict) -> torch.Tensor:
    """[tokens, heads · size], by the attention that is in place for packed rows."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    module = form.attention
    segments = others.get("segments")
    if segments and plain(form, others) and module.attention_dropout == 0 and joint.device.type == "cpu":
        return RowAttention.apply(tuple(segments), form.heads, module.scaling, joint)
    queries, keys = form.heads
    attended, _ = ALL_ATTENTION_FUNCTIONS[module.config._attn_implementation](
        module,
        *(part.transpose(0, 1)[None] for part in joint.split([queries, keys, keys], dim=1)),
        attention_mask,
        dropout=module.attention_dropout if module.training else 0.0,
        scaling=module.scaling,
        sliding_window=form.window,
        **others,
    )
    return attended[0].flatten(1)


def plain(form: Form, others: dict) -> bool:
    """Whether each token sees all before it in its row, and nothing else."""
    longest = max(length for _, length in others["segments"])
    return not others.get("shared") and others.get("past") is None and (form.window is None or longest <= form.window)


def kind_of(x: torch.Tensor) -> torch.dtype:
    """What products are computed in."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def dropout_masks(form: Form, tokens: int) -> Masks:
    """One mask for each input, drawn together."""
    updates = [joint.update for joint in form.updates]
    sizes = [dropped_size(joint) for joint in form.updates]
    update = next((update for update, size in zip(updates, sizes, strict=True) if size), None)
    if update is None:
        return [None] * len(sizes), 1.0
    mask, share = update.random.dropout_mask(torch.Size((tokens, sum(sizes))), update.dropout)
    parts = mask.split(sizes, dim=1)
    return [part if size else None for part, size in zip(parts, sizes, strict=True)], share


def dropped_size(joint) -> int:
    """How wide the input is that dropout works on."""
    update = joint.update
    return joint.bases[0].in_features if update and update.dropout and update.layer.training else 0
