"""archs.json: what the pipeline's own check has to know, because it looks before there is a trainer."""

from dataclasses import asdict
from typing import Any

from ..gguf.pretokenizers import FAMILIES
from ..gguf.rope import GGUF_SCALINGS, INEXACT_KEYS, ROPE_TYPES
from . import architecture_of, architectures
from .architecture import ROPE_FACTORS, WHOLE, Architecture


def listing() -> dict[str, Any]:
    """The content of trainer/archs.json."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return {
        "tensors": [{"gguf": gguf, "hf": hf, "shape": shape} for gguf, (hf, shape) in WHOLE.items()],
        "architectures": [_described(arch) for arch in architectures()],
        "rope": {
            "factors": ROPE_FACTORS,
            "gguf_scalings": GGUF_SCALINGS,
            "types": ROPE_TYPES,
            "inexact_keys": INEXACT_KEYS,
        },
        "pretokenizers": [
            {"names": family.names, "parts": family.parts, "ignore_merges": family.ignore_merges} for family in FAMILIES
        ],
        "language_models": sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    }


def _described(arch: Architecture) -> dict[str, Any]:
    requirements = (architecture_of(arch.loaded_as or "") or arch).requirements
    return {
        "model_type": arch.model_type,
        "gguf": arch.gguf,
        "reads_gguf": arch.reads_gguf,
        "condition": arch.condition,
        "parts": [_part(asdict(part)) for part in arch.parts],
        "requirements": [asdict(need) for need in requirements],
        "neutral_metadata": arch.neutral_metadata,
    }


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {key: part[key] for key in ("gguf", "hf", "shape", "bias")}
