"""A complete GGUF file from a base that came as a Hugging Face folder."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..archs import architecture_of, writable_names
from ..archs.architecture import ROPE_FACTORS
from ..bases.config import load_config
from ..bases.weights import Weights
from ..errors import TrainerError
from ..job.events import Progress
from .changes import Changes
from .compose import FILE_TYPE, compose
from .config import gguf_metadata
from .pieces import row_groups
from .rope import rope_factors
from .values import Value, u32
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
    # Its types always tell the number
    kv = changes.applied(metadata(folder, config) | {FILE_TYPE: u32(0)}, architecture_of(config["model_type"]).gguf)
    parts = changes.grown(FolderParts(folder, config))
    compose(target, kv, parts, replaced, quantization, progress, reshaped=changes.shapes)


def metadata(folder: Path, config: dict[str, Any]) -> dict[str, Value | None]:
    return gguf_metadata(config, folder.name) | tokenizer_metadata(folder, config["vocab_size"])


def read_config(folder: Path) -> dict[str, Any]:
    """The config with transformers' defaults filled in, if GGUF can express it."""
    config = json.loads(load_config(folder).to_json_string(use_diff=False))
    arch = architecture_of(config["model_type"])
    if arch is None:
        raise _unsupported(f'its architecture "{config["model_type"]}" is not one of {writable_names()}')
    reason = arch.inexpressible(config)
    if reason is not None:
        raise _unsupported(reason)
    if config.get("rope_parameters", {}).get("partial_rotary_factor", 1) != 1:
        raise _unsupported("it rotates only a part of each head")
    config["head_dim"] = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    config["num_key_value_heads"] = config.get("num_key_value_heads") or config["num_attention_heads"]
    return config


class FolderParts:
    precise = ()

    def __init__(self, folder: Path, config: dict[str, Any]):
        self._weights = Weights(folder / "model.safetensors")
        self._config = config
        self._arch = architecture_of(config["model_type"])
        self._factors = rope_factors(config["rope_parameters"], config["head_dim"])
        entries = self._weights.entries
        names = self._arch.tensors(config)
        missing = [name for name in names if self._stored(name) not in entries]
        if missing:
            raise _unsupported(f'tensor "{self._stored(missing[0])}" is missing')
        self.shapes = {name: entries[self._stored(name)].shape for name in names}
        if self._factors is not None:
            self.shapes[ROPE_FACTORS] = self._factors.shape

    def type(self, name: str) -> int:
        return 0 if name == ROPE_FACTORS else TYPES[self._weights.entries[self._stored(name)].dtype]

    def data(self, name: str) -> Iterator[np.ndarray]:
        if self.type(name) == 0:
            for values in self.values(name):
                yield np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint8)
            return
        # Rows change places by their bytes: no value is read.
        entry = self._weights.entries[self._stored(name)]
        rows = self._weights.data(self._stored(name)).view(np.uint16).reshape(entry.shape)
        yield np.ascontiguousarray(self._arch.to_gguf_rows(name, rows, self._config)).reshape(-1).view(np.uint8)

    def values(self, name: str) -> Iterator[np.ndarray]:
        if name == ROPE_FACTORS:
            yield self._factors
        elif self._arch.changes_rows(name):
            yield self._arch.to_gguf_rows(name, self._weights.values(self._stored(name)), self._config)
        else:
            for rows in row_groups(self.shapes[name]):
                yield self._weights.values(self._stored(name), rows)

    def _stored(self, name: str) -> str:
        """The tensor's name in the folder."""
        return self._arch.hf_name(name)


def _unsupported(reason: str) -> TrainerError:
    return TrainerError("unsupported_export", f"Cannot write the base as GGUF: {reason}", INSTEAD)
