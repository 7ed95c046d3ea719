"""The language-model head and its loss, where a label is and nowhere else."""

import torch

CHUNK_BYTES = 64 << 20


class HeadLoss(torch.autograd.Function):
    """Cross entropy of each labelled position under a frozen head.

    The gradient with respect to the hidden states is formed right away, a chunk at a time, so that logits of a
    whole batch never exist: with a vocabulary of 50,000 they would outweigh everything else.
    """

    @staticmethod
    def forward(ctx, hidden, weight, bias, targets):
        if weight.requires_grad:
            raise ValueError("HeadLoss gives no gradient for the head's weight")
        rows = max(1, CHUNK_BYTES // (weight.shape[0] * 4))
        losses, gradients = [], []
        for states, wanted in zip(hidden.split(rows), targets.split(rows), strict=True):
            logits = torch.nn.functional.linear(states, weight, bias).float()
            norm = logits.logsumexp(-1)
            losses.append(norm - logits.gather(1, wanted[:, None])[:, 0])
            chances = logits.sub_(norm[:, None]).exp_()
            chances[torch.arange(len(wanted), device=wanted.device), wanted] -= 1
            gradients.append(chances.to(weight.dtype) @ weight)
        ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(losses)

    @staticmethod
    def backward(ctx, upstream):
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream[:, None]).to(gradient.dtype), None, None, None


def token_losses(causal, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Loss of each target, given the hidden state from which it is predicted."""
    head = causal.get_output_embeddings()
    return HeadLoss.apply(hidden, head.weight, getattr(head, "bias", None), targets)
