"""Rotary scaling: what Hugging Face writes in `rope_parameters` and GGUF in metadata or in a tensor of factors."""

import math
from typing import Any

import numpy as np

from ..archs.architecture import ROPE_FACTORS
from ..errors import TrainerError
from .reader import GgufFile
from .values import Value, boolean, f32, string, u32

GGUF_SCALINGS = ("none", "linear", "yarn")
"""As metadata of GGUF names them; llama3 is a tensor of factors there."""
ROPE_TYPES = ("default", "linear", "yarn", "llama3")
"""As config.json names them, of those that GGUF has a form for."""
INEXACT_KEYS = ("attention_factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow")
"""Keys of a rotary scaling that GGUF has no exact form for."""
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""What every published model of this scaling uses; GGUF keeps the resulting factors only."""


def read_rope(file: GgufFile, arch: str, head_dim: int) -> dict[str, Any]:
    """The `rope_parameters` of a GGUF file."""
    theta = shortest(file.get(f"{arch}.rope.freq_base", 10000.0))
    plain = {"rope_type": "default", "rope_theta": theta}
    if ROPE_FACTORS in file.tensors:
        return _llama3_from_factors(file, theta, head_dim)
    kind = file.get(f"{arch}.rope.scaling.type", "linear")
    legacy = file.get(f"{arch}.rope.scale_linear", 1.0)
    factor = shortest(file.get(f"{arch}.rope.scaling.factor", legacy))
    if kind == "none" or (kind in ("linear", "yarn") and factor in (0.0, 1.0)):
        return plain
    if kind == "linear":
        return plain | {"rope_type": "linear", "factor": factor}
    if kind == "yarn":
        original = file.get(f"{arch}.rope.scaling.original_context_length")
        if original:
            return plain | {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original}
    raise TrainerError(
        "unsupported_base",
        f'Cannot use GGUF file "{file.path}": its rotary scaling "{kind}" is not one of linear, yarn, llama3',
    )


def rope_metadata(arch: str, rope: dict[str, Any]) -> dict[str, Value]:
    """The metadata of `rope_parameters`. llama3 has none: see `rope_factors`."""
    kind = rope.get("rope_type", "default")
    pairs = {f"{arch}.rope.freq_base": f32(rope["rope_theta"])}
    if kind in ("default", "llama3"):
        return pairs
    unusual = [key for key in INEXACT_KEYS if rope.get(key)]
    if kind not in ROPE_TYPES or unusual or rope.get("truncate") is False:
        found = f'"{kind}"' + (f" with {', '.join(unusual)}" if unusual else "")
        raise TrainerError(
            "unsupported_export",
            f"Cannot write the base as GGUF: its rotary scaling {found} cannot be expressed exactly in GGUF",
            "Set export.gguf to false and export.merged to true to keep a Hugging Face folder",
        )
    prefix = f"{arch}.rope.scaling"
    pairs |= {f"{prefix}.type": string(kind), f"{prefix}.factor": f32(rope["factor"])}
    if kind == "yarn":
        original = rope["original_max_position_embeddings"]
        pairs |= {f"{prefix}.original_context_length": u32(original), f"{prefix}.finetuned": boolean(True)}
    return pairs


def rope_factors(rope: dict[str, Any], head_dim: int) -> np.ndarray | None:
    """By what each frequency is divided under llama3 scaling; None for any other."""
    if rope.get("rope_type") != "llama3":
        return None
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    original = rope["original_max_position_embeddings"]
    wavelengths = 2 * math.pi * rope["rope_theta"] ** (np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    smooth = (original / wavelengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    factors = np.where(wavelengths < original / high, 1.0, np.where(wavelengths > original / low, factor, between))
    return factors.astype(np.float32)


def shortest(number: float) -> float:
    """The fp32 number as people write it: 1e-05 and not 9.999999747378752e-06."""
    return float(str(np.float32(number)))


def _llama3_from_factors(file: GgufFile, theta: float, head_dim: int) -> dict[str, Any]:
    factors = file.values(ROPE_FACTORS)
    rope = {"rope_type": "llama3", "rope_theta": theta, "factor": shortest(factors.max())} | LLAMA3
    if np.allclose(factors, 1):
        return {"rope_type": "default", "rope_theta": theta}
    wanted = rope_factors(rope, head_dim)
    if wanted is None or wanted.shape != factors.shape or not np.allclose(factors, wanted, rtol=1e-4):
        raise TrainerError(
            "unsupported_base",
            f'Cannot use GGUF file "{file.path}": the factors in "{ROPE_FACTORS}" are not those of Llama 3 scaling',
            "Pass the model's Hugging Face folder as base instead",
        )
    return rope
