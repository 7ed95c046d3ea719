"""The language-model head and its loss, where a label is and nowhere else."""

import torch
from torch.nn.functional import linear

CHUNK_BYTES = 64 << 20


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
    """The tensors in step, so many rows at a time that their logits fit CHUNK_BYTES."""
    rows = max(1, CHUNK_BYTES // (weight.shape[0] * 4))
    return zip(*(tensor.split(rows) for tensor in tensors), strict=True)


def loss_and_errors(states, weight, bias, targets) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of each target, and its gradient with respect to the logits."""
    logits = linear(states, weight, bias).float()
    norm = logits.logsumexp(-1)
    losses = norm - logits.gather(1, targets[:, None])[:, 0]
    errors = logits.sub_(norm[:, None]).exp_()
    errors[torch.arange(len(targets), device=targets.device), targets] -= 1
    return losses, errors


def token_losses(causal, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Loss of each target, given the hidden state from which it is predicted."""
    head = causal.get_output_embeddings()
    loss = TrainedHeadLoss if head.weight.requires_grad else HeadLoss
    return loss.apply(hidden, head.weight, getattr(head, "bias", None), targets)
