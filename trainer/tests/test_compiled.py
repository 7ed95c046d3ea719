"""Compiled element-wise parts compute what the plain ones do, for any number of tokens with one compilation."""

from itertools import chain

import pytest
import torch
from torch._dynamo.utils import counters

from temper_trainer.training.compute import FASTEST, Way
from temper_trainer.training.fused import elementwise
from temper_trainer.training.fused.compiled import FORMS, PAYS_FLOPS, TOKENS, compiled_elementwise, compiles

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def results(tokens: int) -> list[torch.Tensor]:
    """Of each form."""
    generator = torch.Generator().manual_seed(tokens)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    x, upstream, weight, joint, heads = some(tokens, 8), some(tokens, 8), some(8), some(tokens, 16), some(tokens, 3, 4)
    normed, rate = elementwise.rms_norm(x, weight, 1e-5)
    elementwise.rotate_(heads[:, :2], some(tokens, 1, 2), some(tokens, 1, 2))
    return [
        normed,
        rate,
        elementwise.scaled(x, weight, rate),
        elementwise.rms_norm_backward(upstream, x, weight, rate, None),
        elementwise.rms_norm_backward(upstream, x, weight, rate, upstream),
        heads,
        elementwise.swiglu(joint),
        elementwise.swiglu_backward(upstream, joint),
    ]


def test_compiled_forms_compute_what_the_plain_ones_do():
    counts = [5, 9, 30, 1]
    plain = [results(tokens) for tokens in counts]
    before = {name: vars(elementwise)[name] for name in FORMS}
    counters.clear()
    # Without inductor, which needs a C++ compiler on the CPU: what is traced and for which sizes is the same
    with compiled_elementwise("aot_eager"):
        found = [results(tokens) for tokens in counts]
    for ours, theirs in zip(chain(*found), chain(*plain), strict=True):
        torch.testing.assert_close(ours, theirs)
    # rms_norm_backward is called with and without something beside it
    assert counters["stats"]["unique_graphs"] == len(FORMS) + 1
    assert {name: vars(elementwise)[name] for name in FORMS} == before


@pytest.mark.parametrize(
    ("asked", "way", "device", "flops", "compile", "said"),
    [
        (False, FASTEST, CUDA, 10 * PAYS_FLOPS, False, None),
        ("auto", FASTEST, CUDA, PAYS_FLOPS / 2, False, None),
        ("auto", FASTEST, CPU, 10 * PAYS_FLOPS, False, None),
        ("auto", Way("padded", "fast"), CUDA, 10 * PAYS_FLOPS, False, None),
        (True, Way("padded", "fast"), CUDA, 0, False, "train.compile needs decoder layers of the llama form"),
        (True, FASTEST, CPU, 0, False, "train.compile is for CUDA: on other devices the parts are fast as they are"),
    ],
)
def test_what_is_compiled(asked, way, device, flops, compile, said):
    assert compiles(asked, way, device, flops) == (compile, said)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_compiles():
    assert compiles(True, FASTEST, CUDA, 0) == (True, None)
    assert compiles("auto", FASTEST, CUDA, PAYS_FLOPS) == (True, None)


def test_the_bound_keeps_indices_in_32_bits():
    widest = 2 * 32768  # gate and up side by side, of the widest llama
    assert TOKENS[1] * widest <= 2**31
