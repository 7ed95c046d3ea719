"""Four bits a weight: NF4 with double quantisation (QLoRA, arXiv 2305.14314).

Weights are cut into blocks of 64. Each block has a scale, its largest magnitude, and each weight the nearest of 16
levels, which are quantiles of a normal distribution. The scales are quantised too, in groups of 256: 8 bits each say
how far they are from the mean of all. That makes 4.13 bits a weight, and the same weights as bitsandbytes.
"""

import sys
from dataclasses import dataclass
from functools import cache

import torch

BLOCK = 64
GROUP = 256
PIECE = 1 << 16
"""Blocks that are quantised at once: what stands beside them while that happens stays below 64 MB."""
LEVELS = torch.tensor(
    [
        -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
        -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
        0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
        0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
    ]
)  # fmt: skip


def dynamic_levels() -> torch.Tensor:
    """-1 to 1 in 255 steps: seven decades around 0, each with twice the levels of the one below (arXiv 1511.04561)."""
    levels = [torch.tensor([0.0, 1.0])]
    for decade in range(7):
        edges = torch.linspace(0.1, 1, 2**decade + 1)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (decade - 6)
        levels += [middles, -middles]
    return torch.cat(levels).sort().values


SCALE_LEVELS = dynamic_levels()


@dataclass
class Nf4:
    codes: torch.Tensor
    """uint8, two weights in each byte, the first in its upper half."""
    scales: torch.Tensor
    """uint8, one a block: which of SCALE_LEVELS."""
    reach: torch.Tensor
    """fp32, one a group: how far its scales are from the mean at most."""
    mean: torch.Tensor
    """fp32: mean of all scales."""


def quantize(values: torch.Tensor) -> Nf4:
    flat = values.reshape(-1)
    blocks = torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
    pieces = [_codes(piece.float()) for piece in blocks.split(PIECE)]
    largest = torch.cat([largest for _, largest in pieces])
    mean = largest.mean()
    groups = torch.nn.functional.pad(largest - mean, (0, -len(largest) % GROUP)).view(-1, GROUP)
    scales, reach = _nearest(groups, SCALE_LEVELS)
    return Nf4(torch.cat([codes for codes, _ in pieces]), scales.view(-1)[: len(largest)].clone(), reach, mean)


def _codes(blocks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    codes, largest = _nearest(blocks, LEVELS)
    codes = codes.view(-1, 2)
    return codes[:, 0] << 4 | codes[:, 1], largest


def _nearest(rows: torch.Tensor, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each value the number of the nearest level, relative to the largest magnitude of its row."""
    largest = rows.abs().amax(1)
    relative = rows / largest.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    middles = ((levels[1:] + levels[:-1]) / 2).to(rows.device)
    return torch.bucketize(relative, middles, out_int32=True).to(torch.uint8), largest


def dequantize(packed: Nf4, shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
    return weights(packed.codes, decoded_scales(packed), shape, dtype)


def weights(codes: torch.Tensor, scales: torch.Tensor, shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
    """`scales`: as `decoded_scales` gives them."""
    kernel = bitsandbytes_kernel(codes.device.type)
    values = kernel(codes, scales, dtype) if kernel else look_up(codes, scales, dtype)
    return values.view(-1)[: shape.numel()].view(shape)


def fill(out: torch.Tensor, codes: torch.Tensor, scales: torch.Tensor) -> None:
    """The same into a contiguous tensor."""
    if out.is_cuda and bitsandbytes_kernel("cuda") and out.numel() % BLOCK == 0:
        arguments = codes.view(-1, 1), scales, BLOCK, "nf4", list(out.shape), out.dtype
        torch.ops.bitsandbytes.dequantize_4bit.out(*arguments, out=out)
    else:
        out.copy_(weights(codes, scales, out.shape, out.dtype))


def decoded_scales(packed: Nf4) -> torch.Tensor:
    """fp32, one a block."""
    count = len(packed.scales)
    numbers = torch.nn.functional.pad(packed.scales, (0, -count % GROUP)).view(-1, GROUP)
    far = torch.nn.functional.embedding(numbers.int(), _scale_table(packed.scales.device)).squeeze(-1)
    # Beside much larger ones, the scale of a small block may round below 0
    return far.mul_(packed.reach[:, None]).view(-1)[:count].add_(packed.mean).clamp_(min=0)


@cache
def _scale_table(device: torch.device) -> torch.Tensor:
    return SCALE_LEVELS[:, None].to(device)


def look_up(codes: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Plain PyTorch: four weights at once from a table of 1 MB."""
    quads = torch.nn.functional.embedding(codes.view(torch.uint16).int(), _table(codes.device))
    return quads.view(-1, BLOCK).mul_(scales[:, None]).to(dtype)


@cache
def _table(device: torch.device) -> torch.Tensor:
    """The four levels of every pair of bytes."""
    pairs = torch.arange(65536)
    first, second = (pairs & 255, pairs >> 8) if sys.byteorder == "little" else (pairs >> 8, pairs & 255)
    codes = torch.stack([first >> 4, first & 15, second >> 4, second & 15], dim=1)
    return LEVELS[codes].to(device)


def kernel_name(device: str) -> str:
    """What turns the four bits back into weights on this device."""
    if bitsandbytes_kernel(device) is None:
        return "torch"
    import bitsandbytes

    return f"bitsandbytes {bitsandbytes.__version__}"


@cache
def bitsandbytes_kernel(device: str):
    """The kernel of bitsandbytes where it is installed, has one for the device and agrees with the table."""
    if device not in ("cpu", "cuda") or import_bitsandbytes() is None:
        return None
    return _bitsandbytes if _agrees(device) else None


def import_bitsandbytes():
    """The package, or None where it is not installed or does not run."""
    # On some CPUs bitsandbytes would fetch code from the Hugging Face hub while it is imported, if this were there
    hidden = sys.modules.get("kernels")
    sys.modules["kernels"] = None
    try:
        import bitsandbytes

        return bitsandbytes
    except (ImportError, OSError, RuntimeError):
        return None
    finally:
        if hidden is None:
            del sys.modules["kernels"]
        else:
            sys.modules["kernels"] = hidden


def _bitsandbytes(codes: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    shape = (len(scales), BLOCK)
    return torch.ops.bitsandbytes.dequantize_4bit(codes.view(-1, 1), scales, BLOCK, "nf4", shape, dtype)


def _agrees(device: str) -> bool:
    codes = torch.arange(256, dtype=torch.uint8, device=device)
    scales = torch.linspace(0.5, 2, len(codes) * 2 // BLOCK, device=device)
    try:
        found = _bitsandbytes(codes, scales, torch.float32)
    except (RuntimeError, NotImplementedError, AttributeError, OSError):
        return False
    return torch.equal(found, look_up(codes, scales, torch.float32))
