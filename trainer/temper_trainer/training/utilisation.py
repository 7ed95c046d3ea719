"""MFU: which share of what the device can compute a training has needed."""

import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..files import read_json, write_json
from .costs import Shape, Work, training_flops

if TYPE_CHECKING:
    from .device import Environment
    from .loop import Loop
    from .session import Session

SECONDS = 0.5
"""The largest product takes no longer."""
SMALLEST, LARGEST = 256, 16384
"""Of the squares that are tried: three of the largest take 3 GB in fp32."""


def utilisation(session: "Session", loop: "Loop") -> dict[str, float]:
    """For `resources` of result.json."""
    flops = training_flops(Shape.of(session.report["base"]), session.job.method, work_done(loop))
    peak = peak_flops(session.checkpoints / "peak.json", session.environment)
    share = flops / loop.state.seconds / (peak * session.workers.world)
    return {"flops": flops, "peak_flops": round(peak), "mfu": round(share, 4)}


def work_done(loop: "Loop") -> Work:
    """Of all steps so far, whichever attempt did them."""
    pairs, ahead = 0, loop.method.prefix_length
    for step in range(loop.state.step):
        lengths = loop.rows.lengths(loop.plan.rows_of(step))
        pairs += int((lengths * (lengths + 1) // 2 + ahead * lengths).sum())
    return Work(loop.state.tokens, loop.state.supervised, pairs)


def peak_flops(path: Path, environment: "Environment") -> float:
    """Operations a second of a product in the job's type, measured once for each machine that works on the job."""
    device = device_name(environment.device)
    machine = f"{platform.node()}, {device}, {environment.dtype}, {environment.threads} threads"
    kept = read_json(path) or {}
    if machine not in kept:
        kept[machine] = measure(environment)
        write_json(path, kept)
    return kept[machine]


def device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


@torch.no_grad()
def measure(environment: "Environment") -> float:
    """The best of the products of larger and larger squares: small ones do not keep a device busy."""
    size, best, start = SMALLEST, 0.0, time.monotonic()
    while True:
        seconds = product_seconds(size, environment)
        best = max(best, 2 * size**3 / seconds)
        if size < LARGEST and 8 * seconds < SECONDS:
            size *= 2
        elif time.monotonic() - start > SECONDS:
            return best


def product_seconds(size: int, environment: "Environment") -> float:
    """The second product counts: the first one prepares."""
    kind, device = environment.torch_dtype, environment.device
    left, right = (torch.randn(size, size, dtype=kind, device=device) for _ in range(2))
    out = left @ right
    wait_for(environment.device)
    start = time.monotonic()
    torch.matmul(left, right, out=out)
    wait_for(environment.device)
    return max(time.monotonic() - start, 1e-9)


def wait_for(device: str) -> None:
    if device != "cpu":
        getattr(torch, device).synchronize()
