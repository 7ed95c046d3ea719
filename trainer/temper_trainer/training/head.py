"""The language-model head and its loss, where a label is and nowhere else.

`fast` multiplies hidden states by the head's weight and never holds the logits of a whole batch. `own` lets the model
compute its logits itself, with whatever it does to them: scales, caps, layers between the last block and the head.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch.nn.functional import cross_entropy, linear
from torch.utils.checkpoint import checkpoint

from ..errors import Unfit
from .costs import logits_bytes

HEAD_POSITIONS = 256
"""Positions whose logits exist at the same time in scoring: with a vocabulary of 150,000 they take 150 MB."""


class HeadLoss(torch.autograd.Function):
    """Cross entropy of each labelled position under a frozen head.

    The gradient with respect to the hidden states is formed right away, a chunk at a time, so that logits of a
    whole batch never exist: with a vocabulary of 50,000 they would outweigh everything else.
    """

    @staticmethod
    def forward(ctx, hidden, weight, bias, targets):
        losses, gradients = [], []
        for states, wanted in chunks(weight, hidden, targets):
            loss, errors = loss_and_errors(states, weight, bias, wanted)
            losses.append(loss)
            gradients.append(errors.to(weight.dtype) @ weight)
        ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(losses)

    @staticmethod
    def backward(ctx, upstream):
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream[:, None]).to(gradient.dtype), None, None, None


class TrainedHeadLoss(torch.autograd.Function):
    """The same under a head that is trained. Its gradient depends on how much each position counts, which is known
    on the way back only: the logits are then formed once more."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, targets):
        ctx.save_for_backward(hidden, weight, bias, targets)
        return torch.cat([loss_and_errors(h, weight, bias, t)[0] for h, t in chunks(weight, hidden, targets)])

    @staticmethod
    def backward(ctx, upstream):
        hidden, weight, bias, targets = ctx.saved_tensors
        grad_hidden, grad_weight = [], torch.zeros_like(weight)
        grad_bias = None if bias is None else torch.zeros_like(bias)
        for states, wanted, share in chunks(weight, hidden, targets, upstream):
            states = states.to(weight.dtype)
            errors = loss_and_errors(states, weight, bias, wanted)[1].mul_(share[:, None]).to(weight.dtype)
            grad_hidden.append((errors @ weight).to(hidden.dtype))
            grad_weight.addmm_(errors.T, states)
            if grad_bias is not None:
                grad_bias.add_(errors.sum(0))
        return torch.cat(grad_hidden), grad_weight, grad_bias, None


def chunks(weight: torch.Tensor, *tensors: torch.Tensor):
    """The tensors in step, so many rows at a time that their logits fit."""
    held = logits_bytes(gpu=weight.device.type != "cpu")
    rows = max(1, held // (weight.shape[0] * 4))
    return zip(*(tensor.split(rows) for tensor in tensors), strict=True)


def loss_and_errors(states, weight, bias, targets) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of each target, and its gradient with respect to the logits."""
    logits = linear(states, weight, bias).float()
    wanted, largest = logits.gather(1, targets[:, None])[:, 0], logits.amax(-1)
    errors = torch.softmax(logits, -1, out=logits)
    # The largest probability is exp(largest - norm): one pass less than logsumexp, which is slow on CPUs
    losses = largest - errors.amax(-1).log() - wanted
    errors[torch.arange(len(targets), device=targets.device), targets] -= 1
    return losses, errors


def fast_losses(causal, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Loss of each target, given the hidden state from which it is predicted."""
    head = causal.get_output_embeddings()
    loss = TrainedHeadLoss if head.weight.requires_grad else HeadLoss
    return loss.apply(hidden, head.weight, getattr(head, "bias", None), targets)


def own_losses(causal, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The same through the model's own forward. Logits are formed again on the way back instead of being kept."""

    def losses(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return cross_entropy(own_logits(causal, states).float(), wanted, reduction="none")

    weight = causal.get_output_embeddings().weight
    parts = (
        checkpoint(losses, states, wanted, use_reentrant=False) for states, wanted in chunks(weight, hidden, targets)
    )
    return torch.cat(list(parts))


def own_logits(causal, hidden: torch.Tensor) -> torch.Tensor:
    """What the model's own forward makes of final hidden states, [positions, hidden]."""
    with decoded(causal, hidden):
        ids = torch.zeros(1, len(hidden), dtype=torch.long, device=hidden.device)
        return causal(input_ids=ids, use_cache=False).logits[0]


@contextmanager
def decoded(causal, hidden: torch.Tensor) -> Iterator[None]:
    """While this lasts, these states are what the model's decoder answers."""
    decoder = causal.get_decoder()
    if decoder is causal:
        raise Unfit("its head cannot be separated from its layers")
    decoder.forward = lambda *_, **__: Decoded(hidden[None])
    try:
        yield
    finally:
        del decoder.forward


class Decoded(tuple):
    """The output of a decoder that was asked for nothing but final hidden states."""

    def __new__(cls, hidden: torch.Tensor):
        return super().__new__(cls, (hidden,))

    @property
    def last_hidden_state(self) -> torch.Tensor:
        return self[0]

    def __getattr__(self, name: str) -> None:
        """Caches, attentions and router logits: there are none."""
        if name.startswith("__"):
            raise AttributeError(name)


def whole_losses(_causal, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return cross_entropy(logits.float(), targets, reduction="none")


LOSSES = {"fast": fast_losses, "own": own_losses, "whole": whole_losses}


def token_losses(causal, hidden: torch.Tensor, targets: torch.Tensor, head: str = "fast") -> torch.Tensor:
    """Loss of each target, given the hidden state, or under head `whole` the logits, from which it is predicted."""
    return LOSSES[head](causal, hidden, targets)


def logits_of(causal, states: torch.Tensor, targets: torch.Tensor, head: str) -> Iterator[tuple[torch.Tensor, ...]]:
    """Logits and the targets they are to predict, a few positions at a time."""
    make = {"fast": causal.get_output_embeddings(), "own": partial(own_logits, causal), "whole": lambda logits: logits}
    for part, wanted in zip(states.split(HEAD_POSITIONS), targets.split(HEAD_POSITIONS), strict=True):
        yield make[head](part).float(), wanted
