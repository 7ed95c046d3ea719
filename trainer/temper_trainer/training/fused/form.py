"""Which decoder layers have the llama form, and what they are made of."""

from dataclasses import dataclass
from typing import Any

import torch

from ...methods.adapter import Adapted
from ...methods.four_bit import FourBitLinear
from ...methods.lora_linear import Update, base_of, update_of
from .joint import Joint

FAMILIES = ("Llama", "Mistral", "Qwen2", "Qwen3")
"""Their layers compute the same, but for biases, norms of queries and keys, and windows."""


@dataclass(frozen=True)
class Norm:
    weight: torch.nn.Parameter
    eps: float

    def parameters(self) -> list[torch.Tensor]:
        return [self.weight] if self.weight.requires_grad else []


@dataclass(frozen=True)
class Form:
    """A decoder layer: x + o(attention(q, k, v of norm(x))), then x + mlp(norm(x))."""

    attention: Any
    """The module, which the attention function is called with."""
    heads: tuple[int, int]
    """Of queries, and of keys."""
    window: int | None
    before: Norm
    between: Norm
    head_norms: tuple[Norm, Norm] | None
    """Of each query and each key."""
    qkv: Joint
    o: Joint
    gates: list[Joint]
    """[gate, up] of the MLP, and of the bottleneck beside it."""
    downs: list[Joint]

    @property
    def updates(self) -> list[Joint]:
        """Those of the products that drop inputs out."""
        return [self.qkv, self.o, self.gates[0], self.downs[0]]


def form_of(layer) -> Form | None:
    """None where the layer computes anything else."""
    family = family_of(layer)
    if family is None:
        return None
    attention, mlp = layer.self_attn, layer.mlp
    beside = mlp if isinstance(mlp, Adapted) else None
    mlp = beside.mlp if beside else mlp
    gates, downs = [Joint([mlp.gate_proj, mlp.up_proj])], [Joint([mlp.down_proj])]
    if beside:
        gates.append(Joint([Bare(beside.gate), Bare(beside.up)]))
        downs.append(Joint([Bare(beside.down)]))
    size = attention.head_dim
    q, k, v = attention.q_proj, attention.k_proj, attention.v_proj
    return Form(
        attention,
        (base_of(q).out_features // size, base_of(k).out_features // size),
        getattr(attention, "sliding_window", attention.config.sliding_window if family == "Mistral" else None),
        norm(layer.input_layernorm),
        norm(layer.post_attention_layernorm),
        (norm(attention.q_norm), norm(attention.k_norm)) if family == "Qwen3" else None,
        Joint([q, k, v]),
        Joint([attention.o_proj]),
        gates,
        downs,
    )


class Bare:
    """A trained weight that has no layer of its own."""

    bias = None

    def __init__(self, weight: torch.nn.Parameter):
        self.weight = weight
        self.out_features = weight.shape[0]


def norm(module) -> Norm:
    return Norm(module.weight, module.variance_epsilon)


def family_of(layer) -> str | None:
    """By the classes of its parts: one that is derived from them may compute something else."""
    family = type(layer).__name__.removesuffix("DecoderLayer")
    place = f"transformers.models.{family.lower()}.modeling_{family.lower()}"
    mlp = getattr(layer, "mlp", None)
    mlp = mlp.mlp if isinstance(mlp, Adapted) else mlp
    parts = {
        f"{family}DecoderLayer": layer,
        f"{family}Attention": getattr(layer, "self_attn", None),
        f"{family}MLP": mlp,
        f"{family}RMSNorm": getattr(layer, "input_layernorm", None),
    }
    known = all(type(part).__module__ == place and type(part).__name__ == name for name, part in parts.items())
    return family if family in FAMILIES and known and fits(layer.self_attn, mlp) else None


def fits(attention, mlp) -> bool:
    """Whether the linear layers can be joined: plain ones, all of one type, with equal updates in each product."""
    silu = type(mlp.act_fn).__name__ in ("SiLU", "SiLUActivation") or mlp.act_fn is torch.nn.functional.silu
    groups = [
        [attention.q_proj, attention.k_proj, attention.v_proj],
        [attention.o_proj],
        [mlp.gate_proj, mlp.up_proj],
        [mlp.down_proj],
    ]
    bases = [base_of(layer) for group in groups for layer in group]
    plain = all(type(base) in (torch.nn.Linear, FourBitLinear) for base in bases)
    tensors = all(type(base.weight) in (torch.Tensor, torch.nn.Parameter) for base in bases)
    together = len({(type(base), base.weight.dtype, base.weight.requires_grad) for base in bases}) == 1
    return silu and plain and tensors and together and all(alike([update_of(it) for it in group]) for group in groups)


def alike(updates: list[Update | None]) -> bool:
    return len({(update.scaling, update.dropout) for update in updates if update}) <= 1
