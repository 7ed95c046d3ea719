"""A decoder layer before and after its attention, each as one step of the way back.

Kept for the way back: what goes in, the rates of the norms, [gate, up] and what is r wide. Everything else is computed
again from these: it is cheap, and would be most of the memory.
"""

import torch

from . import elementwise
from .form import Form

Masks = tuple[list[torch.Tensor | None], float]
"""One dropout mask for each of a form's products, and the share that they keep."""


class BeforeAttention(torch.autograd.Function):
    """Queries, keys and values side by side, [tokens, heads, size], of x, [tokens, hidden]."""

    @staticmethod
    def forward(ctx, form: Form, kind: torch.dtype, masks: Masks, x, cos, sin, *_trained):
        (mask, *_), share = masks
        normed, rate = elementwise.rms_norm(x, form.before.weight, form.before.eps)
        joint, inner = form.qkv.forward(normed.to(kind), mask, share)
        raw, rates = None, []
        if form.head_norms:
            raw, joint = joint, torch.empty_like(joint)
            parts = heads(form, joint)
            for norm, before, after in zip(form.head_norms, heads(form, raw), parts, strict=False):
                values, part_rate = elementwise.rms_norm(before, norm.weight, norm.eps)
                after.copy_(values)
                rates.append(part_rate)
            parts[2].copy_(heads(form, raw)[2])
        elementwise.rotate_(rotated(form, joint), cos, sin)
        ctx.form, ctx.kind, ctx.share = form, kind, share
        ctx.save_for_backward(x, rate, mask, inner, cos, sin, raw, *rates)
        return joint.view(len(joint), sum(form.heads) + form.heads[1], -1)

    @staticmethod
    def backward(ctx, upstream):
        x, rate, mask, inner, cos, sin, raw, *rates = ctx.saved_tensors
        form: Form = ctx.form
        joint = upstream.flatten(1).clone()
        elementwise.rotate_(rotated(form, joint), cos, -sin)
        head_gradients = []
        if form.head_norms:
            parts = zip(form.head_norms, heads(form, raw), heads(form, joint), rates, strict=False)
            for norm, before, gradient, part_rate in parts:
                if norm.weight.requires_grad:
                    head_gradients.append(elementwise.rms_norm_weight_backward(gradient, before, part_rate))
                gradient.copy_(elementwise.rms_norm_backward(gradient, before, norm.weight, part_rate, None))
        normed = elementwise.scaled(x, form.before.weight, rate).to(ctx.kind)
        wanted = ctx.needs_input_grad[3] or bool(form.before.parameters())
        gradient, found = form.qkv.backward(joint, normed, mask, ctx.share, inner, wanted)
        norm_gradients, back = [], None
        if form.before.parameters():
            norm_gradients = [elementwise.rms_norm_weight_backward(gradient, x, rate)]
        if ctx.needs_input_grad[3]:
            back = elementwise.rms_norm_backward(gradient, x, form.before.weight, rate, None)
        return None, None, None, back, None, None, *norm_gradients, *head_gradients, *found


class AfterAttention(torch.autograd.Function):
    """x and what attention gives, [tokens, heads · size], to the layer's output."""

    @staticmethod
    def forward(ctx, form: Form, kind: torch.dtype, masks: Masks, x, attended, *_trained):
        (_, for_o, for_gate, for_down), share = masks
        out, inner_o = form.o.forward(attended, for_o, share)
        middle = x + out
        normed, rate = elementwise.rms_norm(middle, form.between.weight, form.between.eps)
        normed = normed.to(kind)
        joints, inners, result = [], [], middle
        for gate, down in zip(form.gates, form.downs, strict=True):
            joint, inner_gate = gate.forward(normed, for_gate, share)
            part, inner_down = down.forward(elementwise.swiglu(joint), for_down, share)
            result = result + part
            joints.append(joint)
            inners += [inner_gate, inner_down]
        ctx.form, ctx.kind, ctx.share = form, kind, share
        ctx.save_for_backward(attended, middle, rate, for_o, for_gate, for_down, inner_o, *joints, *inners)
        return result

    @staticmethod
    def backward(ctx, upstream):
        attended, middle, rate, for_o, for_gate, for_down, inner_o, *rest = ctx.saved_tensors
        form, share = ctx.form, ctx.share
        joints, inners = rest[: len(form.gates)], rest[len(form.gates) :]
        normed = elementwise.scaled(middle, form.between.weight, rate).to(ctx.kind)
        narrow = upstream.to(ctx.kind)
        through, found = None, []
        for place, (gate, down, joint) in enumerate(zip(form.gates, form.downs, joints, strict=True)):
            inner_gate, inner_down = inners[2 * place : 2 * place + 2]
            wide, for_downs = down.backward(narrow, elementwise.swiglu(joint), for_down, share, inner_down)
            wide = elementwise.swiglu_backward(wide, joint)
            gradient, for_gates = gate.backward(wide, normed, for_gate, share, inner_gate)
            through = gradient if through is None else through.add_(gradient)
            found += [*for_gates, *for_downs]
        norm_gradients = []
        if form.between.parameters():
            norm_gradients = [elementwise.rms_norm_weight_backward(through, middle, rate)]
        back = elementwise.rms_norm_backward(through, middle, form.between.weight, rate, upstream)
        gradient, for_o_gradients = form.o.backward(back.to(ctx.kind), attended, for_o, share, inner_o)
        x_gradient = back if ctx.needs_input_grad[3] else None
        return None, None, None, x_gradient, gradient, *for_o_gradients, *norm_gradients, *found


def trained_before(form: Form) -> list[torch.Tensor]:
    """In the order of the gradients of BeforeAttention."""
    head_norms = [tensor for norm in form.head_norms or () for tensor in norm.parameters()]
    return [*form.before.parameters(), *head_norms, *form.qkv.parameters()]


def trained_after(form: Form) -> list[torch.Tensor]:
    parts = [
        tensor for pair in zip(form.gates, form.downs, strict=True) for joint in pair for tensor in joint.parameters()
    ]
    return [*form.o.parameters(), *form.between.parameters(), *parts]


def heads(form: Form, joint: torch.Tensor) -> tuple[torch.Tensor, ...]:
    queries, keys = form.heads
    return joint.view(len(joint), queries + 2 * keys, -1).split([queries, keys, keys], dim=1)


def rotated(form: Form, joint: torch.Tensor) -> torch.Tensor:
    """Queries and keys."""
    queries, keys = form.heads
    return joint.view(len(joint), queries + 2 * keys, -1)[:, : queries + keys]
