"""What the varlen kernel is asked for is what rows see of each other; on a GPU, what it answers too."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from temper_trainer.training.packing import row_attention
from temper_trainer.training.varlen import Spread, fits, kernel, lay_out, varlen_attention

CPU = torch.device("cpu")
SEGMENTS = [(2, 7), (1, 5), (1, 1)]
LENGTHS = [7, 7, 5, 1]
BEFORE = [(0, False), (3, False), (3, True)]
"""Positions before each row, and whether they are a row themselves."""


class Module:
    layer_idx = 0
    is_causal = True


def some_states(tokens: int, dtype=torch.float64, device=CPU) -> list[torch.Tensor]:
    """Queries of 4 heads, keys and values of 2, [1, heads, tokens, size]."""
    generator = torch.Generator().manual_seed(0)
    states = [torch.randn(1, heads, tokens, 16, generator=generator, dtype=torch.float64) for heads in (4, 2, 2)]
    return [part.to(device, dtype).requires_grad_() for part in states]


def asked(query, key, value, bounds, window):
    """Row by row, what the kernel's documentation says: causal from the last position, so many keys back."""
    if bounds.spread is not None:
        key, value = (Spread.apply(states, bounds) for states in (key, value))
    results = []
    for row in range(len(bounds.queries) - 1):
        q, k, v = (
            states[cut[row] : cut[row + 1]].transpose(0, 1)
            for states, cut in ((query, bounds.queries), (key, bounds.keys), (value, bounds.keys))
        )
        distance = torch.arange(k.shape[1] - q.shape[1], k.shape[1])[:, None] - torch.arange(k.shape[1])
        mask = (distance >= 0) & (distance < (window or 1 << 30))
        results.append(scaled_dot_product_attention(q[None], k[None], v[None], mask, enable_gqa=True)[0])
    return torch.cat([part.transpose(0, 1) for part in results])


def by_groups(query, key, value, before: int, shared: bool, past, window) -> torch.Tensor:
    return row_attention(
        Module(), query, key, value, None, SEGMENTS, shared=before if shared else 0, past=past, sliding_window=window
    )[0][0]


def inputs(before: int, shared: bool, dtype=torch.float64, device=CPU):
    """States of the rows, of what stands before them where it is no row, and the same laid out for the kernel."""
    states = some_states(sum(LENGTHS) + (before if shared else 0), dtype, device)
    past = None
    if before and not shared:
        past = [tuple(part[0, :, :before].detach().clone().requires_grad_() for part in some_states(9)[1:])]
        past = [tuple(part.detach().to(device, dtype).requires_grad_() for part in past[0])]
    q, k, v = (part[0].transpose(0, 1) for part in states)
    if past:
        k, v = (torch.cat([first.transpose(0, 1), own]) for first, own in zip(past[0], (k, v), strict=True))
    return states, past, (q, k, v)


@pytest.mark.parametrize(("before", "shared"), BEFORE)
def test_the_kernel_is_asked_for_what_rows_see(before, shared):
    states, past, laid_out = inputs(before, shared)
    bounds = lay_out(LENGTHS, CPU, before, shared)
    assert (bounds.longest_query, bounds.longest_key) == (7, 7 + before)
    leaves = [*states, *(past[0] if past else ())]
    answers = [asked(*laid_out, bounds, None), by_groups(*states, before, shared, past, None)]
    torch.testing.assert_close(*answers)
    upstream = torch.randn(answers[0].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for ours, theirs in zip(*(torch.autograd.grad((it * upstream).sum(), leaves) for it in answers), strict=True):
        # Copies are added up in fp32
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_window_reaches_so_many_keys_back():
    states, _, laid_out = inputs(0, False)
    answer = asked(*laid_out, lay_out(LENGTHS, CPU, 0, False), 3)
    torch.testing.assert_close(answer, by_groups(*states, 0, False, None, 3))


def test_what_the_kernel_cannot_compute_is_left_to_others():
    half, single = torch.zeros(1, 2, 3, 64, dtype=torch.bfloat16), torch.zeros(1, 2, 3, 64)
    assert fits(half, half, 0.0)
    assert not fits(single, single, 0.0)
    assert not fits(half, half, 0.1)
    assert not fits(half[..., :60], half[..., :60], 0.0)
    assert not fits(half, half[..., :32], 0.0)


@pytest.mark.skipif(not torch.cuda.is_available() or kernel() is None, reason="needs a GPU")
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize(("before", "shared"), BEFORE)
def test_the_kernel_answers_as_groups_of_rows_do(before, shared, window):
    if window and before:
        pytest.skip("a prefix is refused where attention has windows")
    device = torch.device("cuda")
    states, past, laid_out = inputs(before, shared, torch.bfloat16, device)
    bounds = lay_out(LENGTHS, device, before, shared)
    leaves = [*states, *(past[0] if past else ())]
    answers = [
        varlen_attention(*laid_out, bounds, None, window),
        by_groups(*states, before, shared, past, window),
    ]
    torch.testing.assert_close(*answers, rtol=2e-2, atol=2e-2)
    for ours, theirs in zip(*(torch.autograd.grad(it.float().sum(), leaves) for it in answers), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=5e-2, atol=5e-2)
