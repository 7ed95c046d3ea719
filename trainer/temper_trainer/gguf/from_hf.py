"""A complete GGUF file from a base that came as a Hugging Face folder."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..bases.config import load_config
from ..bases.weights import Weights
from ..errors import TrainerError
from ..job.events import Progress
from .changes import Changes
from .compose import compose
from .config import gguf_metadata
from .names import ARCHITECTURES, ROPE_FACTORS, WRITTEN_AS, changes_rows, expected_tensors, hf_name, to_gguf_rows
from .pieces import row_groups
from .rope import rope_factors
from .values import Value
from .vocabulary import INSTEAD, tokenizer_metadata

TYPES = {"F32": 0, "F16": 1, "BF16": 30, "F64": 0}


def write_from_hf(
    folder: Path,
    target: Path,
    replaced: Iterable[tuple[str, np.ndarray]],
    quantization: str,
    changes: Changes,
    progress: Progress,
) -> None:
    """As `splice`, from a converted base's folder."""
    config = read_config(folder)
    kv = changes.applied(metadata(folder, config), config["model_type"])
    parts = changes.grown(FolderParts(folder, config))
    compose(target, kv, parts, replaced, quantization, progress, reshaped=changes.shapes)


def metadata(folder: Path, config: dict[str, Any]) -> dict[str, Value | None]:
    return gguf_metadata(config, folder.name) | tokenizer_metadata(folder, config["vocab_size"])


def read_config(folder: Path) -> dict[str, Any]:
    """The config with transformers' defaults filled in, if GGUF can express it."""
    config = json.loads(load_config(folder).to_json_string(use_diff=False))
    arch = config["model_type"]
    if arch in WRITTEN_AS:
        if config.get("sliding_window") is not None:
            raise _unsupported(f"its attention has a window of {config['sliding_window']} tokens")
        arch = config["model_type"] = WRITTEN_AS[arch]
    if arch not in ARCHITECTURES:
        raise _unsupported(f'its architecture "{arch}" is not one of {", ".join(ARCHITECTURES)}')
    if config["hidden_act"] not in ("silu", "swish"):
        raise _unsupported(f'its activation "{config["hidden_act"]}" is not silu')
    if config.get("use_sliding_window") or config.get("rope_parameters", {}).get("partial_rotary_factor", 1) != 1:
        raise _unsupported("it has sliding windows or rotates a part of each head")
    if arch == "qwen3" and config.get("attention_bias"):
        raise _unsupported("its attention has biases")
    config["head_dim"] = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    config["num_key_value_heads"] = config.get("num_key_value_heads") or config["num_attention_heads"]
    return config


class FolderParts:
    precise = ()

    def __init__(self, folder: Path, config: dict[str, Any]):
        self._weights = Weights(folder / "model.safetensors")
        self._config = config
        self._factors = rope_factors(config["rope_parameters"], config["head_dim"])
        entries = self._weights.entries
        names = expected_tensors(config)
        missing = [name for name in names if hf_name(name) not in entries]
        if missing:
            raise _unsupported(f'tensor "{hf_name(missing[0])}" is missing')
        self.shapes = {name: entries[hf_name(name)].shape for name in names}
        if self._factors is not None:
            self.shapes[ROPE_FACTORS] = self._factors.shape

    def type(self, name: str) -> int:
        return 0 if name == ROPE_FACTORS else TYPES[self._weights.entries[hf_name(name)].dtype]

    def data(self, name: str) -> Iterator[np.ndarray]:
        if self.type(name) == 0:
            for values in self.values(name):
                yield np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint8)
            return
        # Rows change places by their bytes: no value is read.
        entry = self._weights.entries[hf_name(name)]
        rows = self._weights.data(hf_name(name)).view(np.uint16).reshape(entry.shape)
        yield np.ascontiguousarray(to_gguf_rows(name, rows, self._config)).reshape(-1).view(np.uint8)

    def values(self, name: str) -> Iterator[np.ndarray]:
        if name == ROPE_FACTORS:
            yield self._factors
        elif changes_rows(name, self._config):
            yield to_gguf_rows(name, self._weights.values(hf_name(name)), self._config)
        else:
            for rows in row_groups(self.shapes[name]):
                yield self._weights.values(hf_name(name), rows)


def _unsupported(reason: str) -> TrainerError:
    return TrainerError("unsupported_export", f"Cannot write the base as GGUF: {reason}", INSTEAD)
