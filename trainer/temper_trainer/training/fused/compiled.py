"""The element-wise parts as one kernel each, by torch.compile: a GPU then reads and writes each tensor once."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch
from torch.nn.functional import silu

from . import elementwise

if TYPE_CHECKING:
    from ..compute import Way

PAYS_FLOPS = 2e16
"""Compiling takes about half a minute and then saves about a fifth of a step: trainings of less than two minutes on a
GPU would only be slower. By the size of the job and not by the clock, so that a resumed training computes alike."""
TOKENS = (2, 1 << 15)
"""What is compiled for. With a bound, indices are 32 bits wide."""


def swiglu_backward(upstream: torch.Tensor, joint: torch.Tensor) -> torch.Tensor:
    """As `elementwise` has it, without writing into views, which cannot be compiled for every number of tokens."""
    gate, up = joint.chunk(2, -1)
    back = torch.ops.aten.silu_backward(upstream * up, gate)
    return torch.cat([back, upstream * silu(gate)], dim=-1)


FORMS: dict[str, Callable] = {
    "rms_norm": elementwise.rms_norm,
    "scaled": elementwise.scaled,
    "rms_norm_backward": elementwise.rms_norm_backward,
    "rotate_": elementwise.rotate_,
    "swiglu": elementwise.swiglu,
    "swiglu_backward": swiglu_backward,
}


@contextmanager
def compiled_elementwise(backend: str = "inductor") -> Iterator[None]:
    """While this lasts, `elementwise` is compiled."""
    plain = {name: getattr(elementwise, name) for name in FORMS}
    for name, form in FORMS.items():
        setattr(elementwise, name, compiled(form, backend))
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(elementwise, name, function)


def compiled(form: Callable, backend: str) -> Callable:
    """For any number of tokens at once: they change from step to step."""
    options = {"deterministic": True} if backend == "inductor" and deterministic_option() else None
    function = torch.compile(form, backend=backend, fullgraph=True, options=options)

    def call(*arguments):
        of_tokens = [it for it in arguments if isinstance(it, torch.Tensor) and it.dim() > 1]
        # Inside another form, and for numbers of tokens that are not compiled for
        if torch.compiler.is_compiling() or not TOKENS[0] <= len(of_tokens[0]) <= TOKENS[1]:
            return form(*arguments)
        for tensor in of_tokens:
            torch._dynamo.mark_dynamic(tensor, 0, min=TOKENS[0], max=TOKENS[1])
        return function(*arguments)

    return call


def deterministic_option() -> bool:
    """Whether inductor can be told to choose its kernels without measuring: measured ones may differ next time."""
    import torch._inductor.config as config

    return hasattr(config, "deterministic")


def compiles(asked: Literal["auto"] | bool, way: "Way", device: torch.device, flops: float) -> tuple[bool, str | None]:
    """Whether the element-wise parts are to be compiled, and what to say where that was asked for or would pay and
    cannot be done. `flops`: of the whole training."""
    if asked is False or (asked == "auto" and (device.type != "cuda" or flops < PAYS_FLOPS)):
        return False, None
    if way.layers != "fused":
        return False, "train.compile needs decoder layers of the llama form" if asked is True else None
    if device.type != "cuda":
        return False, "train.compile is for CUDA: on other devices the parts are fast as they are"
    reason = why_not()
    return reason is None, reason and f"its element-wise parts cannot be compiled here: {reason}"


def why_not() -> str | None:
    """Why nothing can be compiled for the GPU here; None where it works."""
    x = torch.randn(4, 64, device="cuda", dtype=torch.bfloat16)
    try:
        compiled(elementwise.swiglu, "inductor")(x)
    except Exception as error:  # whatever a compiler and its tools raise
        traceback.print_exception(error, file=sys.stderr)
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    return None
