"""Whether what was written holds the whole model: every tensor of the base, and the logits of the trained model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..archs import architecture_of
from ..archs.architecture import ROPE_FACTORS
from ..bases.weights import Weights
from ..errors import FAILED, TrainerError
from ..gguf.reader import GgufFile
from ..gguf.rope import rope_factors
from .merge import Merge

if TYPE_CHECKING:
    from ..bases.base import Base

Shapes = Mapping[str, tuple[int, ...]]

LIKELY = 20
"""Tokens compared at each position: the most likely ones. How unlikely the others are decides nothing."""
LARGEST_FILE = 4_000_000_000
"""Bytes of a file that is still loaded once more, to compare its logits."""
LIMITS = {"f32": 0.05, "f16": 0.25, "bf16": 0.25, "q8_0": 0.75, "q6_k": 0.75, "q5_k_m": 1.5, "q4_k_m": 2.0, "q4_0": 3.0}
"""Mean difference of log-probabilities above which a file is not the trained model. On SmolLM2-135M rounding gives
0.0001, 0.013, 0.027, 0.16 and 1.2; q and k with their rows in the wrong order 1.4, a lost head much more."""
COMPUTED = {"fp32": 0, "bf16": LIMITS["bf16"], "fp16": LIMITS["f16"]}
"""What is added where the trained model itself is rounded to such a type."""
HINT = "The trained weights are in artifacts/. This is an error in temper: report it together with config.json"


@dataclass(frozen=True)
class Sample:
    """What the trained model says after some tokens."""

    tokens: Sequence[int]
    log_probs: np.ndarray
    """Of the next token, by id."""


Samples = Callable[[], Sequence[Sample]]


def check_tensors_of_file(path: Path, base: "Base", merge: Merge) -> int:
    """Compares the tensors of a GGUF file with the base's; returns how many there are."""
    wanted, arch = {}, architecture_of(base.info["arch"])
    for name, shape in tensors_of(base, merge).items():
        renamed = arch.gguf_name(name)
        if renamed is None:
            raise _lost("model.gguf", f'tensor "{name}" of the base has no name there')
        wanted[renamed] = shape
    factors = _rope_factors(base)
    if factors is not None:
        wanted[ROPE_FACTORS] = factors
    _compare("model.gguf", wanted, {name: tensor.shape for name, tensor in GgufFile(path).tensors.items()})
    return len(wanted)


def check_tensors_of_folder(folder: Path, base: "Base", merge: Merge) -> int:
    """The same for a merged Hugging Face folder."""
    wanted = tensors_of(base, merge)
    entries = Weights(folder / "model.safetensors").entries
    _compare("merged/", wanted, {name: entry.shape for name, entry in entries.items()})
    return len(wanted)


def tensors_of(base: "Base", merge: Merge) -> dict[str, tuple[int, ...]]:
    """The shapes an exported model has, by Hugging Face's names: the base's, and what training made of them."""
    shapes = {name: entry.shape for name, entry in Weights(base.dir / "model.safetensors").entries.items()}
    grown = {}
    if merge.added_tokens:
        for name, (source, rows) in merge.added_tokens.rows(base.info["tied"]).items():
            height, width = shapes[source]
            grown[name] = (height + len(rows), width)
    return shapes | {name: tuple(shape) for name, shape in merge.shapes.items() if name in shapes} | grown


def check_logits(path: Path, quantization: str, samples: Samples, computed_in: str = "fp32") -> dict[str, Any]:
    """Has llama.cpp answer the samples, where it is installed. Says what was compared, or why nothing was."""
    from .llama_cpp import ask, engine_version

    version = engine_version()
    if version is None:
        return _not_compared("the Python package xllamacpp is not installed")
    if path.stat().st_size > LARGEST_FILE:
        return _not_compared(f"the file is larger than {LARGEST_FILE // 10**9} GB")
    rows = samples()
    answers = ask(path, [row.tokens for row in rows])
    if isinstance(answers, str):
        return _not_compared(answers)
    parts = [_differences(row.log_probs, answer) for row, answer in zip(rows, answers, strict=True)]
    differences = np.concatenate(parts)
    mean = float(differences.mean())
    limit = LIMITS[quantization] + COMPUTED[computed_in]
    # Written this way round, NaN fails too
    if not mean <= limit:
        found = f"its log-probabilities are {mean:.3g} off on average, more than rounding allows ({limit:g})"
        raise _lost("model.gguf", f"llama.cpp computes different values than the trained model: {found}")
    return {
        "compared": True,
        "engine": f"xllamacpp {version}",
        "rows": len(rows),
        "tokens": sum(len(row.tokens) for row in rows),
        "mean_difference": round(mean, 5),
        "largest_difference": round(float(differences.max()), 5),
        "limit": limit,
    }


def _not_compared(reason: str) -> dict[str, Any]:
    return {"compared": False, "reason": reason}


def _differences(wanted: np.ndarray, found: Mapping[int, float]) -> np.ndarray:
    """Of the most likely tokens. One that the engine does not list among many more is as far off as its last one."""
    likely = np.argsort(-wanted)[:LIKELY]
    least = min(found.values())
    return np.abs(np.array([found.get(int(token), least) - wanted[token] for token in likely]))


def _rope_factors(base: "Base") -> tuple[int, ...] | None:
    if base.source_gguf is not None:
        tensor = GgufFile(base.source_gguf).tensors.get(ROPE_FACTORS)
        return tensor and tensor.shape
    from ..bases.config import load_config

    factors = rope_factors(load_config(base.dir).rope_parameters, base.info["head_dim"])
    return None if factors is None else factors.shape


def _compare(what: str, wanted: Shapes, found: Shapes) -> None:
    problems = [f'tensor "{name}" of the base is missing' for name in wanted.keys() - found.keys()]
    problems += [f'tensor "{name}" is not one of the base' for name in found.keys() - wanted.keys()]
    problems += [
        f'tensor "{name}" has the shape {found[name]} instead of {wanted[name]}'
        for name in wanted.keys() & found.keys()
        if tuple(found[name]) != tuple(wanted[name])
    ]
    if problems:
        more = f" ({len(problems)} differences in all)" if len(problems) > 1 else ""
        raise _lost(what, min(problems) + more)


def _lost(what: str, reason: str) -> TrainerError:
    return TrainerError("bad_export", f"Cannot publish {what}: {reason}", HINT, FAILED)
