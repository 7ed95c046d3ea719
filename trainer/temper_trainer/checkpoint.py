"""checkpoints/step-N: all that a training needs to go on as if nothing had happened."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from .errors import TrainerError
from .events import Metrics
from .files import file_sha256, read_json, sync_file, sync_folder, write_json

KEPT = 2
TENSORS = "state.safetensors"
NUMBERS = "state.json"
DIGESTS = "digests.json"


@dataclass(frozen=True)
class Checkpoint:
    step: int
    tensors: dict[str, torch.Tensor]
    numbers: dict[str, Any]


class Checkpoints:
    """The checkpoints of one job. `job` is a digest of what the weights depend on."""

    def __init__(self, folder: Path, job: str):
        self.folder = folder
        self.job = job
        folder.mkdir(exist_ok=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Appears whole or not at all; older ones than the newest two go."""
        target = self.folder / f"step-{checkpoint.step}"
        if target.exists():
            return
        temporary = self.folder / ".tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        save_file({name: tensor.cpu() for name, tensor in checkpoint.tensors.items()}, temporary / TENSORS)
        sync_file(temporary / TENSORS)
        write_json(temporary / NUMBERS, {"job": self.job, "step": checkpoint.step, **checkpoint.numbers})
        write_json(temporary / DIGESTS, {name: file_sha256(temporary / name) for name in (TENSORS, NUMBERS)})
        temporary.rename(target)
        sync_folder(self.folder)
        for path in list(self.newest_first())[KEPT:]:
            shutil.rmtree(path)

    def newest_first(self) -> Iterator[Path]:
        found = [path for path in self.folder.glob("step-*") if path.name.removeprefix("step-").isdigit()]
        yield from sorted(found, key=lambda path: -int(path.name.removeprefix("step-")))

    def load(self, metrics: Metrics) -> Checkpoint | None:
        """The newest good one. A damaged one is set aside, so that training on from an older one can replace it."""
        for path in self.newest_first():
            try:
                return self.read(path)
            except (OSError, ValueError, KeyError, SafetensorError) as error:
                metrics.warn(f'Cannot use checkpoint "{path.name}": {error}; going on from the one before')
                shutil.rmtree(path)
        return None

    def read(self, path: Path) -> Checkpoint:
        for name, digest in (read_json(path / DIGESTS) or {"its digests": ""}).items():
            if not (path / name).exists():
                raise ValueError(f"{name} is missing")
            if file_sha256(path / name) != digest:
                raise ValueError(f"{name} is damaged")
        numbers = json.loads((path / NUMBERS).read_text())
        if numbers["job"] != self.job:
            hint = f'Delete "{self.folder}" to train from the start'
            message = f'Cannot resume from "{path.name}": it belongs to other settings or data'
            raise TrainerError("other_job", message, hint)
        return Checkpoint(numbers["step"], load_file(path / TENSORS), numbers)
